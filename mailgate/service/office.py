"""The desk with its letter paper: what is in force now. A reload swaps one of these for the next."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from mailgate.core.desk import Desk
from mailgate.render import Renderer


@dataclass(frozen=True, slots=True)
class Office:
    """Rules, secret, calendar and templates, all of one moment.

    written: the rules as their files have them, merged, as JSON; "" where there are no files. templates: changes when
    one of those beside the rules does.
    """

    desk: Desk
    renderer: Renderer
    written: str = ""
    templates: Hashable = ()
