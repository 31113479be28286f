"""Access data that are known by their own shape, whatever stands before them."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Each with texts, in lower case, without one of which it is not there: most mails have none, which is seen fast.
_SHAPES = (
    (("private key-",), r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?P<it>[^-]{1,20000})"),
    (("private-lines:",), r"Private-Lines: \d{1,3}\n(?P<it>(?:[^\n:]{1,100}\n){1,200})"),
    # RFC 3986 section 3.2.1: user and password before a host.
    (("://",), r"://[^\s/:@<>\"]{0,100}:(?P<it>[^\s/@<>\"]{1,200})@(?=[\w\[])"),
    # RFC 7519: header and claims are JSON objects in base64, which begin so.
    (("eyj",), r"eyJ[\w-]{8,2000}\.eyJ[\w-]{8,8000}\.[\w-]{8,2000}"),
    (("bearer ",), r"[Bb]earer[ ]{1,3}(?P<it>[\w.~+/=-]{12,4000})"),
    (("basic ",), r"Authorization:[ ]{1,3}Basic[ ]{1,3}(?P<it>[A-Za-z0-9+/=]{8,2000})"),
    # Tokens that their makers marked, so that they are found.
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"), r"\b(?:gh[pousr]|github_pat)_\w{20,255}"),
    (("k_live_", "k_test_"), r"\b[sr]k_(?:live|test)_\w{10,255}"),
    (("whsec_", "npm_", "dop_v1_"), r"\b(?:whsec|npm|dop_v1)_[\w+/=]{16,255}"),
    (("sk-",), r"(?<![\w-])sk-(?=[\w-]{0,255}\d)[\w-]{20,255}"),
    (("glpat-",), r"\bglpat-[\w-]{16,255}"),
    (("xox",), r"\bxox[abeoprs]-[\w-]{10,255}"),
    (("hooks.slack.com",), r"hooks\.slack\.com/(?:services|workflows)/(?P<it>[\w/]{20,255})"),
    (("akia", "asia"), r"\bA(?:KIA|SIA)[A-Z0-9]{16}\b"),
    (("aiza",), r"\bAIza[\w-]{30,60}"),
    (("sg.",), r"\bSG\.[\w-]{16,64}\.[\w-]{16,128}"),
    ((":aa",), r"\b\d{8,10}:AA[\w-]{30,40}"),
    # On a command line.
    (("mysql",), r"mysql(?:dump|admin)?\b[^\n]{0,100}? -p(?P<it>[^\s'\"]{3,100}|'[^'\n]{1,100}'|\"[^\"\n]{1,100}\")"),
    (("sshpass",), r"sshpass[ ]{1,3}-p[ ]{0,3}(?P<it>[^\s]{3,100})"),
    (("curl ",), r"curl\b[^\n]{0,200}? -u[ ]{0,3}['\"]?[^\s:'\"]{1,60}:(?P<it>[^\s'\"]{3,100})"),
    (("identified by",), r"(?i:IDENTIFIED BY)[ ]{1,3}(?P<it>'[^'\n]{1,100}'|\"[^\"\n]{1,100}\")"),
)
_COMPILED = tuple((hints, re.compile(shape)) for hints, shape in _SHAPES)

# An application password of WordPress: 24 letters and digits in groups of four. Said of something, or a guess would do.
_GROUPS = re.compile(r"(?<![^\s\"'«(:=])(?:[A-Za-z0-9]{4} ){5}[A-Za-z0-9]{4}(?!\w)")
_GROUPS_HINTS = ("wordpress", "wp-", "aplicac", "applica", "contrase", "passw", "clave", "acceso")


def spans(text: str, folded: str) -> Iterator[tuple[int, int]]:
    """Where they stand, in no order; folded: the text in lower case."""
    for hints, shape in _COMPILED:
        if any(hint in folded for hint in hints):
            which = shape.groupindex.get("it", 0)
            yield from (found.span(which) for found in shape.finditer(text))
    if any(hint in folded for hint in _GROUPS_HINTS):
        yield from (found.span() for found in _GROUPS.finditer(text) if _is_random(found[0]))


def _is_random(groups: str) -> bool:
    """Whether groups of four are neither words nor an IBAN: letters of both cases, and digits."""
    letters = [char for char in groups if char.isalpha()]
    both = any(char.islower() for char in letters) and any(char.isupper() for char in letters)
    return both and any(char.isdigit() for char in groups)
