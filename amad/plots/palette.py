"""The one table of data colours, light and dark: canvas, Plotly and Altair all read it.

Interface colours are not here but in the app's theme. Chosen so that every line has a contrast of 3:1 or more, and so
that roles sharing a picture and the eight incident types stay apart for colour-blind readers.
"""

from typing import Literal

Theme = Literal["light", "dark"]

COLORS: dict[Theme, dict[str, str]] = {
    "light": {
        "signal": "#2B3946",
        "expected": "#1A8FBB",
        "score": "#D1186F",
        "threshold": "#17695E",
        "local": "#1F6BE0",
        "global": "#A8480A",
        "mixed": "#2B333B",
        "cad": "#86961C",
        "training": "#66727F",
        "maintenance": "#66727F",
        "missing": "#A87900",
        "grid": "#E7EBEF",
        "rule": "#CBD3DB",
        "text": "#1B2430",
        "grey": "#4A5765",
        "background": "#FFFFFF",
        "surface": "#F2F5F7",
    },
    "dark": {
        "signal": "#9DABB6",
        "expected": "#3F86C4",
        "score": "#E8608C",
        "threshold": "#99EBD6",
        "local": "#2A8CF5",
        "global": "#FBA977",
        "mixed": "#98A0AC",
        "cad": "#7F8F22",
        "training": "#8F9BA7",
        "maintenance": "#8F9BA7",
        "missing": "#E0B64A",
        "grid": "#232A32",
        "rule": "#3A444F",
        "text": "#E4E9EE",
        "grey": "#A9B4BF",
        "background": "#14181D",
        "surface": "#1F252C",
    },
}

SEQUENTIAL: dict[Theme, list[str]] = {
    "light": [
        "#F1F9F7",
        "#BCE7E8",
        "#83D2E2",
        "#5EB8DA",
        "#499CCE",
        "#417FBC",
        "#3E64A4",
        "#384A89",
        "#2F326C",
        "#241D50",
    ],
    "dark": [
        "#1E2026",
        "#26344C",
        "#294974",
        "#256392",
        "#127FA9",
        "#0A9DB5",
        "#33BAB6",
        "#71D3B1",
        "#B3E6B2",
        "#EAF8C3",
    ],
}

DIVERGING: dict[Theme, list[str]] = {
    "light": [
        "#004FBC",
        "#4277CC",
        "#759CDB",
        "#A7C0E8",
        "#DBE5F3",
        "#ECE1DD",
        "#D7B7A9",
        "#C18D76",
        "#A96444",
        "#903A00",
    ],
    "dark": [
        "#78B5FE",
        "#6392CA",
        "#4E7099",
        "#3A506A",
        "#27323F",
        "#323033",
        "#5D4A41",
        "#8A644F",
        "#BA7F5C",
        "#EC9B69",
    ],
}

# The incident types a new workspace starts with: name, code on the rail, pattern, and a colour each theme.
INCIDENT_TYPES: list[dict[str, str]] = [
    {"name": "Spike", "code": "SP", "pattern": "solid", "light": "#2444B5", "dark": "#6C91FB"},
    {"name": "Level shift", "code": "LS", "pattern": "/", "light": "#74610F", "dark": "#AC943D"},
    {"name": "Frozen sensor", "code": "FZ", "pattern": "\\", "light": "#A27FE6", "dark": "#8E4EB0"},
    {"name": "Changed rhythm", "code": "RH", "pattern": "=", "light": "#35A583", "dark": "#35805B"},
    {"name": "Broken relation", "code": "RL", "pattern": "bars", "light": "#682D13", "dark": "#AA4F06"},
    {"name": "Drift", "code": "DR", "pattern": "dots", "light": "#0B748C", "dark": "#66DAFC"},
    {"name": "Noise", "code": "NS", "pattern": "grid", "light": "#B7675B", "dark": "#FFCAAD"},
    {"name": "Other", "code": "OT", "pattern": "mesh", "light": "#869B21", "dark": "#BDE62A"},
]
