"""HTML of others, made harmless, for a frame without rights. What would take too much of the machine is not shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

LONGEST = 2_000_000
MOST_TAGS = 20_000
MOST_WRITTEN = 50_000_000
"""Bytes. A browser's parser writes every open <b> or <font> anew in each block: 55 kB make 56 MB."""
MOST_OF_PICTURES = 8_000_000
"""Characters of all pictures together: one that stands in a mail once may be named a thousand times."""

_ATTRIBUTES = {
    "font": {"color", "size", "face"},
    "td": {"align", "valign", "colspan", "rowspan"},
}
# What is written anew (HTML, "the list of active formatting elements"); of equal ones three at most.
_FORMATTING = re.compile(r"(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b", re.IGNORECASE)


def may_be_shown(html: str) -> bool:
    """Whether there is any, and cleaning it costs no more than its size."""
    tags = html.count("<")
    if not html or len(html) > LONGEST or tags > MOST_TAGS:
        return False
    pieces = {piece for piece in html.split("<") if _FORMATTING.match(piece)}
    return tags * sum(map(len, pieces)) <= MOST_WRITTEN


def clean(html: str, pictures: Mapping[str, str]) -> str:
    """HTML without whatever acts, fetches or leads astray. pictures: addresses that hold them, by Content-ID."""
    import nh3  # seldom needed, and 2 MB

    room = MOST_OF_PICTURES

    def kept(tag: str, name: str, value: str) -> str | None:
        nonlocal room
        if tag != "img" or name != "src":
            return value
        picture = pictures.get(value.removeprefix("cid:"), "") if value.startswith("cid:") else ""
        room -= len(picture)
        return picture if picture and room >= 0 else None

    return nh3.clean(
        html,
        tags=nh3.ALLOWED_TAGS | {"font"},
        attributes={tag: set(names) for tag, names in {**nh3.ALLOWED_ATTRIBUTES, **_ATTRIBUTES}.items()},
        attribute_filter=kept,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
    )
