"""Every method of the benchmark by name and group; names are matched without regard to case and punctuation."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable
from functools import cache

from amad.errors import InputError
from benchmarks.quality.methods import Method

# Functions that offer methods, by group.
GROUPS = {
    "light": "benchmarks.quality.light:methods",
    "amad": "benchmarks.quality.ours:default",
    "ablations": "benchmarks.quality.ours:ablations",
    "presets": "benchmarks.quality.ours:presets",
    "peers": "benchmarks.peers:methods",
}
DEFAULT = ("light", "amad")


def slug(name: str) -> str:
    """A name as it stands in a file's name or in a call: small letters, digits, `+` and hyphens."""
    return re.sub(r"[^a-z0-9+]+", "-", name.lower()).strip("-")


def group(name: str) -> list[Method]:
    """The methods of a group; none, and a word on standard error, where its module cannot be imported here."""
    try:
        module, _, function = GROUPS[name].partition(":")
        return list(getattr(importlib.import_module(module), function)())
    except ImportError as error:
        print(f"The group {name} is left out: {error}", file=sys.stderr)
        return []


@cache
def everything() -> tuple[Method, ...]:
    """Every method, in the order of the groups."""
    return tuple(method for name in GROUPS for method in group(name))


def choose(words: Iterable[str]) -> list[Method]:
    """Methods by name or group, each once, in the order of the registry. Errors: InputError naming what there is.

    A group whose module is slow to import is only looked into when a word is not found before it.
    """
    wanted = list(words)
    names = {slug(word): word for word in wanted if word not in GROUPS}
    chosen: list[Method] = []
    for name in GROUPS:
        if name in wanted or names:
            found = group(name)
            chosen += [method for method in found if name in wanted or slug(method.name) in names]
            for method in found:
                names.pop(slug(method.name), None)
    if names:
        raise InputError(
            f'There is no method "{next(iter(names.values()))}". Choose from the groups {", ".join(GROUPS)} and the names '
            f"{', '.join(slug(method.name) for method in everything())}."
        )
    return chosen
