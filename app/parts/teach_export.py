"""A chapter of Teach as one HTML file: words, formulas, and the picture in every state of one control; needs no Python."""

from __future__ import annotations

import html
import json
import re

from plotly.offline import get_plotlyjs

from amad import plots
from amad.plots.palette import COLORS, Theme
from app.parts.teach import Lesson, State

_STYLE = """
html{font:16px/1.5 "Source Sans 3",system-ui,-apple-system,"Segoe UI",sans-serif;color:TEXT;background:BACKGROUND}
body{max-width:78rem;margin:0 auto;padding:1rem 1.5rem 2rem}
h1{font-size:1.5rem;margin:.2rem 0 .6rem}p{margin:.4rem 0;max-width:60rem}
small,output{color:GREY}label{display:flex;gap:.8rem;align-items:center;margin:.8rem 0 .2rem;font-weight:600}
input{flex:1;max-width:34rem;accent-color:ACCENT}input:focus-visible,summary:focus-visible{outline:2px solid ACCENT;outline-offset:3px}
#picture{height:min(34rem,70vh)}code{display:block;font:.95rem/1.7 "Source Code Pro",ui-monospace,monospace;overflow-x:auto}
summary{cursor:pointer;font-weight:600;margin-top:1rem}
"""
_SCRIPT = """
const states = JSON.parse(document.getElementById("states").textContent);
const picture = document.getElementById("picture"), said = document.getElementById("said");
const slider = document.getElementById("slider"), value = document.getElementById("value");
function show(at) {
  const one = states[at];
  Plotly.react(picture, one.figure.data, one.figure.layout, {displayModeBar: false, responsive: true});
  picture.setAttribute("aria-label", one.alt);
  said.textContent = one.remark;
  if (slider) { value.textContent = one.name; slider.setAttribute("aria-valuetext", one.name); }
}
if (slider) slider.addEventListener("input", () => show(Number(slider.value)));
show(slider ? Number(slider.value) : 0);
"""


def page(lesson: Lesson, state: State, theme: Theme) -> bytes:
    """The chapter as it is set now, UTF-8; the reader moves what `lesson.sweep` names. Nothing in it is loaded from elsewhere."""
    swept = lesson.sweep(state)
    states = []
    for name, one in swept.states:
        shown = lesson.picture(one, theme)
        states.append(
            {
                "name": name,
                "figure": json.loads(shown.figure.to_json()),
                "alt": plots.describe(shown.figure),
                "remark": plain(shown.remark),
            }
        )
    words, tone = lesson.words, COLORS[theme]
    style = _STYLE
    for name, color in (("TEXT", "text"), ("BACKGROUND", "background"), ("GREY", "grey"), ("ACCENT", "threshold")):
        style = style.replace(name, tone[color])
    slider = ""
    if len(states) > 1:
        slider = (
            f'<label for="slider">{html.escape(swept.name)}<input id="slider" type="range" min="0" max="{len(states) - 1}" '
            f'value="{swept.first}"><output id="value" for="slider"></output></label>'
        )
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="{theme}"><title>{html.escape(words.title)}</title><style>{style}</style></head>',
        f"<body><main><small>AMAD, chapter {words.number}</small><h1>{html.escape(words.title)}</h1>",
        *(f"<p>{html.escape(sentence)}</p>" for sentence in words.sentences),
        slider,
        '<div id="picture" role="img"></div><p id="said" aria-live="polite"></p>',
        *(f"<code>{html.escape(plain_formula)}</code>" for plain_formula, _ in words.formulas),
        f"<details><summary>{html.escape(words.question)}</summary><p>{html.escape(words.answer)}</p></details></main>",
        f'<script type="application/json" id="states">{_json(states)}</script>',
        f"<script>{get_plotlyjs()}</script><script>{_SCRIPT}</script></body></html>",
    ]
    return "\n".join(parts).encode("utf-8")


def plain(remark: str) -> str:
    """A sentence without its Markdown."""
    return re.sub(r"\\(.)", r"\1", remark.replace("**", "")).replace("\u2060", "")


def _json(value: object) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").replace("\u2028", "\\u2028")
