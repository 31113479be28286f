"""What must hold between matters, prices and the ledger; goes with the invariants in `core.ledger`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailgate.core.contract import money
from mailgate.core.ledger import Broken
from mailgate.core.model import Entry, Kind, Matter, MatterKind, MatterState


def matters_fit(matters: Sequence[Matter], entries: Sequence[Entry]) -> Iterator[str]:
    """Each matter that the ledger contradicts, as a sentence that names it. entries: all, of every client."""
    known = {entry.id: entry for entry in entries}
    answers = {(entry.of, entry.kind) for entry in entries}
    lines = {(entry.client, entry.message, entry.line) for entry in entries if entry.kind is Kind.DEBIT}
    for matter in matters:
        match matter.kind:
            case MatterKind.DISPUTE:
                wrong = _dispute(matter, known, answers)
            case MatterKind.DEBIT if matter.state is MatterState.GRANTED:
                booked = (matter.client, matter.message, matter.line) in lines
                wrong = "" if booked else "was granted but never booked"
            case _:
                wrong = ""
        if wrong:
            yield f"matter {matter.id}: {wrong}"


def _dispute(matter: Matter, known: dict[int, Entry], answers: set[tuple[int | None, Kind]]) -> str:
    """What is wrong with a dispute, "" for nothing."""
    entry = known.get(matter.entry or 0)
    if entry is None or entry.client != matter.client or entry.kind is not Kind.DEBIT:
        return f"disputes entry {matter.entry}, which is no debit of {matter.client}"
    void, adjusted = ((entry.id, kind) in answers for kind in (Kind.VOID, Kind.ADJUST))
    match matter.state:
        case MatterState.OPEN if void:
            return f"disputes entry {entry.id}, which is void"
        case MatterState.GRANTED if not void:
            return f"was granted, but entry {entry.id} is not void"
        case MatterState.REDUCED if not adjusted:
            return f"was reduced, but entry {entry.id} is not adjusted"
        case _:
            return ""


def prices_fit(entries: Sequence[Entry]) -> Iterator[Broken]:
    """No refund gives back more money than its purchase cost, nor another currency's."""
    prices = {entry.id: entry.price or "" for entry in entries if entry.kind is Kind.PURCHASE}
    for entry in entries:
        paid = prices.get(entry.of or 0, "")
        if entry.kind is Kind.REFUND and entry.price and not _within(entry.price, paid):
            yield Broken(entry.id, f'refunds "{entry.price}" of entry {entry.of}, which cost "{paid}"')


def _within(part: str, whole: str) -> bool:
    try:
        given, paid = money.parse(part), money.parse(whole)
    except ValueError:
        return False
    return given.currency == paid.currency and given.cents <= paid.cents
