"""No page reads a table from end to end: what it costs does not grow with the store."""

from __future__ import annotations

import re

from starlette.testclient import TestClient

from tests.edges.web.area import Area
from tests.support import reply_address, written

ANA, MARTA, ELENA = "ana@acme.example", "marta@example.es", "elena@example.es"
CLIENTS = (
    *("/", "/tickets", "/tickets?status=new&before=9", "/tickets/1", "/tickets/1?from=2", "/balance", "/reports"),
    *("/search?q=hola", "/search?q=SOP-1", "/messages/1", "/sessions", "/reports/csv"),
)
STAFF = ("/tickets", "/tickets?status=closed", "/tickets/1", "/search?q=hola", "/messages/2")
DIRECTORS = (
    *("/board", "/board?client=acme&technician=marta", "/board?technician=marta"),
    *("/tickets?client=acme&status=new", "/balance?client=acme"),
)


def queries(area: Area, browser: TestClient, paths: tuple[str, ...]) -> set[str]:
    """What the store is asked for some pages, by whichever thread."""
    for _ in range(8):  # every thread has its connection by then
        browser.get("/sessions")
    asked: set[str] = set()
    connections = [connection.db.conn for connection in area.stored.store._all]
    for connection in connections:
        connection.set_trace_callback(asked.add)
    for path in paths:
        assert browser.get(path).status_code == 200, path
    for connection in connections:
        connection.set_trace_callback(None)
    return {sql for sql in asked if sql.startswith("select")}  # in capitals: FTS5's own


def test_every_query_of_every_page_goes_by_an_index(area: Area) -> None:
    area.stored.book(240)
    area.stored.take()
    answer = "Ya está.\n\n#time 12m"
    area.stored.take(written(answer, sender=MARTA, to=reply_address(1, MARTA), message_id="<a1@example.es>"))
    found: set[str] = set()
    for who, paths in ((ANA, CLIENTS), (MARTA, STAFF), (ELENA, (*STAFF, *DIRECTORS))):
        found |= queries(area, area.signed_in(who), paths)
    assert len(found) > 30
    with area.stored.store.read() as tx:
        for sql in sorted(found):
            steps = [row["detail"] for row in tx.rows(f"explain query plan {sql}")]
            scans = [step for step in steps if re.match(r"SCAN (?!.*VIRTUAL TABLE|CONSTANT|given|some|\d)", step)]
            # A list of all tickets goes down the table itself, from the newest, until the page is full.
            if sql.endswith("order by t.id desc limit 31"):
                scans = [step for step in scans if step != "SCAN t"]
            assert scans == [], (sql, steps)
