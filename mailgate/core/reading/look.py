"""Whether an HTML element can be seen: the little of CSS that hides text, inline and by class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

Colour = tuple[int, int, int]

_NAMED: Mapping[str, Colour] = {
    "white": (255, 255, 255),
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "whitesmoke": (245, 245, 245),
    "black": (0, 0, 0),
}
_HEX = re.compile(r"#([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})(?:[\s,/]+([\d.]+)%?)?\s*\)")
_NAME = re.compile(r"\b[a-z]+\b")
_LENGTH = re.compile(r"(-?(?:\d+\.?\d*|\.\d+))\s*(px|pt|em|rem|%)?", re.ASCII)

UNLIKE = 24
"""Colours whose channels differ by less in sum cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Look:
    """What text inherits. gone: hidden with all that is inside. Colours are None where unknown.

    tiny and invisible hide text too, but an element inside may undo them.
    """

    gone: bool = False
    tiny: bool = False
    invisible: bool = False
    colour: Colour | None = (0, 0, 0)
    background: Colour | None = (255, 255, 255)
    transparent: bool = False

    @property
    def visible(self) -> bool:
        """Whether text of this look can be seen."""
        if self.gone or self.tiny or self.invisible or self.transparent:
            return False
        if self.colour is None or self.background is None:
            return True
        return sum(abs(a - b) for a, b in zip(self.colour, self.background, strict=True)) >= UNLIKE

    def inside(self, attributes: Mapping[str, str], hidden_classes: frozenset[str]) -> Look:
        """The look of an element with these attributes inside this one."""
        look = self
        if "hidden" in attributes or not hidden_classes.isdisjoint(attributes.get("class", "").split()):
            return replace(look, gone=True)
        if background := attributes.get("bgcolor"):
            look = replace(look, background=_colour(background))
        if colour := attributes.get("color") or attributes.get("text"):
            look = look._coloured(colour)
        if style := attributes.get("style"):
            look = look._styled(_declarations(style))
        return look

    def _styled(self, style: Mapping[str, str]) -> Look:
        look = replace(self, gone=True) if _gone(style) else self
        if size := style.get("font-size"):
            look = replace(look, tiny=_is_tiny(size))
        if visibility := style.get("visibility"):
            look = replace(look, invisible=visibility in ("hidden", "collapse"))
        background = style.get("background-color") or style.get("background")
        if background and background not in ("none", "transparent", "inherit", "initial"):
            look = replace(look, background=_colour(background))
        return look._coloured(style["color"]) if "color" in style else look

    def _coloured(self, value: str) -> Look:
        value = value.lower()
        if value == "inherit":
            return self
        colour = _RGB.search(value)
        clear = value == "transparent" or bool(colour and colour[4] and _is_zero(colour[4]))
        return replace(self, colour=_colour(value), transparent=clear)


def hidden_classes(css: str) -> frozenset[str]:
    """The classes that a style sheet hides; what holds only for some screens (@media) does not count."""
    rules = _AT_RULE.sub("}", _COMMENT.sub("", css))
    return frozenset(name for name, body in _CLASS_RULE.findall(rules) if _hides(body))


_COMMENT = re.compile(r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/|<!--|-->")
_AT_RULE = re.compile(r"@[^{}@]*+\{(?:[^{}]*+\{[^{}]*+\})*+[^{}]*+\}")
_CLASS_RULE = re.compile(r"(?:^|(?<=[},]))\s*+\w*+\.([\w-]++)\s*+\{([^{}]*+)\}")


def _hides(body: str) -> bool:
    style = _declarations(body)
    return _gone(style) or style.get("visibility") == "hidden" or _is_tiny(style.get("font-size", "1em"))


def _declarations(style: str) -> dict[str, str]:
    """Property to value; of a property that is set twice the last counts."""
    pairs = (declaration.partition(":") for declaration in style.lower().split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs if value}


def _gone(style: Mapping[str, str]) -> bool:
    if style.get("display") == "none" or style.get("mso-hide") == "all":
        return True
    if _is_zero(style.get("opacity", "1")) or _is_far_off(style):
        return True
    flat = any(_is_zero(style.get(name, "1")) for name in ("height", "max-height", "width", "max-width"))
    return flat and style.get("overflow") == "hidden"


def _is_far_off(style: Mapping[str, str]) -> bool:
    """Moved out of sight."""
    names = ("text-indent", "left", "top", "margin-left", "margin-top")
    return any(_length(style.get(name, ""))[0] < -500 for name in names)


def _is_tiny(size: str) -> bool:
    number, unit = _length(size)
    return number <= (1 if unit in ("px", "pt") else 0)


def _is_zero(value: str) -> bool:
    return _length(value)[0] == 0


def _length(value: str) -> tuple[float, str]:
    """Number and unit; a number that is none hides nothing."""
    match = _LENGTH.match(value)
    return (float(match[1]), match[2] or "") if match else (1000.0, "")


def _colour(value: str) -> Colour | None:
    """The colour in a value, None where it is not plain or not known."""
    value = value.lower()
    if "url(" in value or "gradient" in value:
        return None
    if match := _HEX.search(value):
        digits = match[1] if len(match[1]) > 4 else "".join(2 * digit for digit in match[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
    if match := _RGB.search(value):
        return int(match[1]), int(match[2]), int(match[3])
    return next((_NAMED[name] for name in _NAME.findall(value) if name in _NAMED), None)
