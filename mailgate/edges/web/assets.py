"""The files beside the pages: style sheet, icon and script, under names that change with what is in them."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from mailgate.edges.web.asking import Answer, Ask, NotThere, Sent
from mailgate.render import Renderer

_TYPES = {
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "app.js": "text/javascript; charset=utf-8",
}


@lru_cache(maxsize=8)  # it is asked for each page, and a changed file is a new Renderer
def path(renderer: Renderer, name: str) -> str:
    """Where a file is; a browser may keep it for ever."""
    stem, _, ending = name.partition(".")
    return f"/static/{stem}.{sha256(renderer.asset(name)).hexdigest()[:12]}.{ending}"


def file(ask: Ask) -> Answer:
    """The file of a name as above."""
    for name, kind in _TYPES.items():
        if path(ask.office.renderer, name) == f"/static/{ask.path['name']}":
            return Sent(ask.office.renderer.asset(name), kind, keep=True)
    raise NotThere
