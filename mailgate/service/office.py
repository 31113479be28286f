"""The desk with its letter paper: what is in force now. A reload swaps one of these for the next."""

from __future__ import annotations

from dataclasses import dataclass

from mailgate.core.desk import Desk
from mailgate.render import Renderer


@dataclass(frozen=True, slots=True)
class Office:
    """Rules, secret, calendar and templates, all of one moment."""

    desk: Desk
    renderer: Renderer
