"""Prove the books: the ledger's invariants, and that nothing in the store hangs in the air."""

from __future__ import annotations

from dataclasses import dataclass

from mailgate.core import ledger
from mailgate.store import Connection, entries
from mailgate.store.proofs import problems_of_store


@dataclass(frozen=True, slots=True)
class Audit:
    """What was looked at, and everything that is off."""

    entries: int
    balances: dict[str, int]
    problems: list[str]

    def told(self) -> str:
        """The result for people."""
        checked = f"{self.entries} entries of {len(self.balances)} clients"
        if not self.problems:
            return f"good: {checked}, sums, chains and store agree"
        return "\n".join([*self.problems, f"{len(self.problems)} problems in {checked}"])


def audited(tx: Connection) -> Audit:
    """Look at the whole ledger and the whole store."""
    booked = entries.everything(tx)
    clients = sorted({entry.client for entry in booked})
    sums = {client: ledger.balance(e for e in booked if e.client == client) for client in clients}
    problems = [f"entry {broken.entry}: {broken.what}" for broken in ledger.audit(booked)]
    for client, left in sums.items():
        if (stored := entries.balance(tx, client)) != left:
            problems.append(f"client {client}: the store says {stored} minutes, the entries sum to {left}")
    return Audit(len(booked), sums, [*problems, *problems_of_store(tx)])
