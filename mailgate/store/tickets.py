"""Tickets and how they stand. Minutes are never stored here: they are the sum of the ledger's entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mailgate.core.model import Priority, Status, Ticket
from mailgate.store import experience, vault
from mailgate.store.connection import Connection, Row
from mailgate.store.times import moment, opt_day, opt_moment, opt_stamp, stamp

# Whoever has more than these is as good as anybody who has; counting on would cost each message.
_MOST_LOAD = 100

# A ticket has the minutes of those, too, that were merged into it: their entries stay where they were booked.
_TICKET = (
    "select t.*, (select coalesce(-sum(e.minutes), 0) from entry e where e.ticket = t.id)"
    " + (select coalesce(-sum(e.minutes), 0) from ticket m join entry e on e.ticket = m.id"
    " where m.merged_into = t.id) as minutes from ticket t"
)


def next_id(tx: Connection) -> int:
    """The number that the next ticket gets; numbers are never used again, not even after a restore."""
    highest = "select max(id) as id from ticket union all select max(ticket) from restored"
    return int(tx.value(f"select coalesce(max(id), 0) + 1 from ({highest}) as given"))


def open_ticket(tx: Connection, ticket: Ticket) -> None:
    """Write a new ticket under the number it carries."""
    columns = _columns(ticket)
    names = ", ".join(columns)
    values = ", ".join(f":{name}" for name in columns)
    tx.run(f"insert into ticket ({names}) values ({values})", **columns)


def update(tx: Connection, ticket: Ticket) -> None:
    """Write how a ticket stands now; the work on it counts for the category that it has."""
    before = tx.value("select category from ticket where id = :ticket", ticket=ticket.id)
    columns = _columns(ticket)
    settings = ", ".join(f"{name} = :{name}" for name in columns if name != "id")
    tx.run(f"update ticket set {settings} where id = :id", **columns)
    if before != ticket.category:
        experience.moved(tx, ticket.id, before, ticket.category)


def get(tx: Connection, ticket: int) -> Ticket | None:
    """One ticket, None where there is none of that number."""
    row = tx.row(_TICKET + " where t.id = :ticket", ticket=ticket)
    return _ticket(row) if row else None


def get_many(tx: Connection, ids: Iterable[int]) -> dict[int, Ticket]:
    """Those of the tickets that exist, by number."""
    found = (get(tx, ticket) for ticket in ids)
    return {ticket.id: ticket for ticket in found if ticket is not None}


def where_they_go_on(tx: Connection, ids: Iterable[int]) -> dict[int, Ticket]:
    """The tickets by these numbers; of one that was merged, the ticket in which it goes on, by both numbers."""
    found = get_many(tx, ids)
    on = get_many(tx, {ticket.merged_into for ticket in found.values() if ticket.merged_into})
    return {number: on.get(ticket.merged_into or 0, ticket) for number, ticket in found.items()} | on


def merged_into(tx: Connection, number: int) -> frozenset[int]:
    """The tickets that go on in this one."""
    rows = tx.rows("select id from ticket where merged_into = :number", number=number)
    return frozenset(row["id"] for row in rows)


def merge(tx: Connection, source: int, target: int) -> None:
    """Hand over what belongs to a ticket that goes on in another, but for its entries and its mails of the outbox.

    Those that were merged into the source go on in the target, so that nothing is ever two steps away.
    """
    both = {"source": source, "target": target}
    tx.run("update ticket set merged_into = :target where merged_into = :source", **both)
    tx.run("update message set ticket = :target where ticket = :source", **both)
    tx.run("update ticket set gone_at = null where id = :target", **both)
    tx.run("update transcript set ticket = :target where ticket = :source", **both)
    vault.hand_over(tx, source, target)
    tx.run("update held set ticket = :target where ticket = :source and state = 'waiting'", **both)
    tx.run("update held set ticket = :target where ticket = :source and released_by is not null", **both)
    tx.run("update matter set ticket = :target where ticket = :source and state = 'open'", **both)
    tx.run("update quarantine set ticket = :target where ticket = :source and state = 'waiting'", **both)
    tx.run(
        "insert into guest (ticket, address, message) select :target, address, message from guest"
        " where ticket = :source on conflict do nothing",
        **both,
    )


# An expression has no index.
_UNINDEXED = " || ''"


@dataclass(frozen=True, slots=True)
class Only:
    """Which tickets a list is of; None for all. late_at: those to which an answer was due before then.

    before: those with a smaller number, for the next page of a list.
    """

    id: int | None = None
    client: str | None = None
    status: str | None = None
    technician: str | None = None
    priority: str | None = None
    category: str | None = None
    late_at: datetime | None = None
    before: int | None = None

    def where(self, *, of_few: bool = False) -> tuple[str, dict[str, object]]:
        """The conditions on `ticket t`, each after an "and", and their values.

        of_few: what else is asked has an index with few tickets, which is to be used, not that of all of a client.
        """
        columns = ("id", "client", "status", "technician", "priority", "category")
        values: dict[str, object] = {name: getattr(self, name) for name in columns if getattr(self, name) is not None}
        index = "" if of_few else self._narrowest()
        conditions = "".join(f" and t.{name}{'' if name in (index, 'id') else _UNINDEXED} = :{name}" for name in values)
        if index == "client" and self.status not in (None, Status.CLOSED):
            conditions += " and t.status <> 'closed'"  # a client's tickets that are not closed have an index
        if self.late_at is not None:
            conditions += " and t.answer_due_at < :late_at"
            values["late_at"] = stamp(self.late_at)
        if self.before is not None:
            conditions += " and t.id < :before"
            values["before"] = self.before
        return conditions, values

    def _narrowest(self) -> str:
        """The column of which the fewest tickets have what is asked for: of any two SQLite takes either's index."""
        of_open = self.status not in (None, Status.CLOSED)
        order = ("client", *(["status"] if of_open else []), "technician", "category", "priority", "status")
        return next((name for name in order if getattr(self, name) is not None), "")


EVERY = Only()


def listed(tx: Connection, only: Only = EVERY, most: int | None = None) -> list[Ticket]:
    """The tickets of a list, newest first; of late ones the one that waits longest first."""
    where, values = only.where(of_few=only.late_at is not None)
    if most is not None:
        values["most"] = most
    limit = "" if most is None else " limit :most"
    order = "t.id desc" if only.late_at is None else "t.answer_due_at, t.id"
    return [_ticket(row) for row in tx.rows(f"{_TICKET} where true{where} order by {order}{limit}", **values)]


def going(tx: Connection, only: Only, most: int) -> list[Ticket]:
    """Those of a list that are not closed, newest first."""
    where, values = only.where()
    open_ones = f"t.status <> 'closed'{where} order by t.id desc limit :most"
    return under(tx, open_ones, **values, most=most)


def count(tx: Connection, only: Only = EVERY) -> int:
    """How many tickets a list has."""
    where, values = only.where(of_few=only.late_at is not None)
    return int(tx.value(f"select count(*) from ticket t where true{where}", **values))


def under(tx: Connection, condition: str, **values: object) -> list[Ticket]:
    """The tickets under a condition on `ticket t`, in its order: for the store's own modules."""
    return [_ticket(row) for row in tx.rows(f"{_TICKET} where {condition}", **values)]


def held_for_balance(tx: Connection, client: str) -> tuple[Ticket, ...]:
    """The client's tickets that wait for minutes to be bought, oldest first."""
    held = _TICKET + " where t.client = :client and t.held_for = 'balance' and t.status = 'held' order by t.id"
    return tuple(_ticket(row) for row in tx.rows(held, client=client))


def load(tx: Connection, technician: str) -> int:
    """How many tickets in new and open a technician has; of more than the bound, the bound."""
    mine = "select 1 from ticket where technician = :technician and status in ('new', 'open') limit :most"
    return int(tx.value(f"select count(*) from ({mine}) as some", technician=technician, most=_MOST_LOAD))


def held_for_absence(tx: Connection) -> tuple[Ticket, ...]:
    """The tickets that wait until their technician is back, oldest first."""
    # In the order of the index: by number SQLite would walk through all tickets, each minute.
    return tuple(_ticket(row) for row in tx.rows(_TICKET + " where t.held_for = 'away' order by t.technician, t.id"))


def with_technician(tx: Connection, technician: str) -> tuple[Ticket, ...]:
    """What a technician has to do: their tickets in new and open, held for them, or planned; oldest first."""
    theirs = f" where t.technician{_UNINDEXED} = :technician and "  # by status: these are few, and theirs are all ever
    parts = ("t.status in ('new', 'open')", "t.status = 'held' and t.held_for = 'away'", "t.status = 'scheduled'")
    found = {
        row["id"]: _ticket(row)
        for part in parts
        for row in tx.rows(f"{_TICKET}{theirs}{part} order by t.id limit :most", technician=technician, most=_MOST_LOAD)
    }
    return tuple(found[number] for number in sorted(found))


def of_prospect(tx: Connection, address: str) -> Ticket | None:
    """The newest ticket of somebody who is no client yet, unless it is closed."""
    theirs = " where t.requester = :address and t.client = '' and t.merged_into is null"
    mine = _TICKET + theirs + " order by t.id desc limit 1"
    row = tx.row(mine, address=address)
    return _ticket(row) if row and row["status"] != Status.CLOSED else None


def prospects_since(tx: Connection, since: datetime) -> int:
    """How many people who are no clients were answered since then."""
    return int(tx.value("select count(*) from ticket where client = '' and opened_at > :since", since=stamp(since)))


def _columns(ticket: Ticket) -> dict[str, object]:
    return {
        "id": ticket.id,
        "client": ticket.client,
        "subject": ticket.subject,
        "requester": ticket.requester,
        "opened_at": stamp(ticket.opened_at),
        "status": ticket.status,
        "priority": ticket.priority,
        "category": ticket.category,
        "technician": ticket.technician,
        "first_answer_at": opt_stamp(ticket.first_answer_at),
        "answer_due_at": opt_stamp(ticket.answer_due_at),
        "closed_at": opt_stamp(ticket.closed_at),
        "planned_start": ticket.planned_start and ticket.planned_start.isoformat(),
        "planned_delivery": ticket.planned_delivery and ticket.planned_delivery.isoformat(),
        "estimate": ticket.estimate,
        "follows": ticket.follows,
        "spend_limit": ticket.limit,
        "held_for": ticket.held_for,
        "asked_at": opt_stamp(ticket.asked_at),
        "quick_due_at": opt_stamp(ticket.quick_due_at),
        "answer_left": ticket.answer_left,
        "quick_left": ticket.quick_left,
        "merged_into": ticket.merged_into,
    }


def _ticket(row: Row) -> Ticket:
    return Ticket(
        id=row["id"],
        client=row["client"],
        subject=row["subject"],
        requester=row["requester"],
        opened_at=moment(row["opened_at"]),
        status=Status(row["status"]),
        priority=Priority(row["priority"]),
        category=row["category"],
        technician=row["technician"],
        first_answer_at=opt_moment(row["first_answer_at"]),
        answer_due_at=opt_moment(row["answer_due_at"]),
        closed_at=opt_moment(row["closed_at"]),
        planned_start=opt_day(row["planned_start"]),
        planned_delivery=opt_day(row["planned_delivery"]),
        estimate=row["estimate"],
        minutes=row["minutes"],
        follows=row["follows"],
        limit=row["spend_limit"],
        held_for=row["held_for"],
        asked_at=opt_moment(row["asked_at"]),
        quick_due_at=opt_moment(row["quick_due_at"]),
        answer_left=row["answer_left"],
        quick_left=row["quick_left"],
        merged_into=row["merged_into"],
    )
