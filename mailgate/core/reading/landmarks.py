"""What mail programs say in the HTML of a message: where a quote, a signature, a header block begins.

Names are of Gmail, Outlook (Word, web, Mac, telephone), Apple Mail, Thunderbird, Yahoo, Zimbra,
Proton, Zoho, Tuta, Roundcube, Samsung; webmail puts "x_" before those of what it quotes.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

_SIGNATURES = (
    "gmail_signature",
    "moz-signature",
    "applemailsignature",
    "ms-outlook-mobile-signature",
    "protonmail_signature_block",
    "composer_signature",
)
_QUOTES = ("yahoo_quoted", "protonmail_quote", "olk_src_body_section", "zmail_extra", "tutanota_quote")
_ATTRIBUTIONS = ("gmail_attr", "moz-cite-prefix", "reply-intro")
_ABOVE_HEADERS = ("divrplyfwdmsg", "zwchr")


def is_quote(element: etree._Element) -> bool:
    """Whether an element holds what is quoted, or the words that introduce it."""
    attributes, style = element.attrib, _style(element.attrib)
    if element.tag == "blockquote":
        return not _is_indent(attributes, style)
    names = _names(attributes)
    if any(name in names for name in _QUOTES) or "border:none;border-left:solid" in style:
        return True
    following = element.getnext()
    above_quote = following is not None and following.tag == "blockquote"
    return above_quote and any(name in names for name in _ATTRIBUTIONS)


def is_signature(attributes: Mapping[str, str]) -> bool:
    """Whether an element holds a signature."""
    names = _names(attributes)
    return any(name in names for name in _SIGNATURES) or names.split() in (["signature"], ["x_signature"])


def is_above_headers(attributes: Mapping[str, str]) -> bool:
    """Whether Outlook or Zimbra begins its header block here; all that follows is quoted."""
    names = _names(attributes)
    return any(name in names for name in _ABOVE_HEADERS) or "border:none;border-top:solid" in _style(attributes)


def is_tight(attributes: Mapping[str, str]) -> bool:
    """Whether a paragraph has no blank line around it: Outlook's, and those without margins."""
    style = _style(attributes)
    return attributes.get("class", "").startswith("Mso") or "margin:0" in style or "margin-bottom:0" in style


def keeps_blanks(attributes: Mapping[str, str], outer: bool) -> bool:
    """Whether blanks and line ends count inside an element; `outer`: whether they do around it."""
    style = _style(attributes)
    return "white-space:pre" in style or (outer and "white-space:" not in style)


def _is_indent(attributes: Mapping[str, str], style: str) -> bool:
    """The indent buttons of Gmail and Apple Mail make a blockquote as well, without a border."""
    return "border:none" in style and "type" not in attributes and "quote" not in attributes.get("class", "")


def _names(attributes: Mapping[str, str]) -> str:
    return " ".join(attributes.get(name, "") for name in ("class", "id", "name")).lower()


def _style(attributes: Mapping[str, str]) -> str:
    return attributes.get("style", "").lower().replace(" ", "")
