"""A client area with a real store and a processor behind it, asked as a browser asks, without a socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx2 as httpx
from starlette.testclient import TestClient

from mailgate.core.desk import Desk
from mailgate.edges.verify import Verifier
from mailgate.edges.web.asking import Works
from mailgate.edges.web.site import Site
from mailgate.service.processor import Processor
from mailgate.service.take import Intake
from mailgate.store.writer import Writer
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW

_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


@dataclass
class Area:
    """What a test does with it: sign somebody in, and look at what they get."""

    stored: StoredDesk
    site: Site
    now: datetime = NOW
    _browsers: list[TestClient] = field(default_factory=list)

    def browser(self, peer: str = "192.0.2.7") -> TestClient:
        """One in which nobody is signed in."""
        made = TestClient(
            self.site.application,
            base_url="http://127.0.0.1:8080",
            follow_redirects=False,
            raise_server_exceptions=False,
            client=(peer, 50_000),
        )
        self._browsers.append(made)
        return made

    def links(self) -> list[tuple[str, str]]:
        """The links that were mailed so far: to whom, and the path."""
        found = []
        for mail, raw in zip(self.stored.mails(), self.stored.raws(), strict=True):
            if mail.template == "sign_in":
                path = re.search(rb"/link/[\w-]+", raw.replace(b"=\r\n", b""))
                assert path is not None
                found.append((mail.to, path[0].decode()))
        return found

    def signed_in(self, address: str) -> TestClient:
        """A browser in which somebody signed in by the link that they got."""
        browser = self.browser(peer=address)
        browser.post("/sign-in", data={"address": address})
        self.settle()
        to, path = self.links()[-1]
        assert to == address
        assert browser.post(path).status_code == 303
        return browser

    def settle(self) -> None:
        """Wait until what was queued is written."""
        self.site.works.writer.submit(lambda tx: None).result()

    def pass_by(self, **time: float) -> None:
        """Let time go by."""
        self.now += timedelta(**time)


def send(
    browser: TestClient, page: str, path: str, form: dict[str, str] | None = None, **more: object
) -> httpx.Response:
    """Fill in a form of a page, and send it."""
    token = _CSRF.search(browser.get(page).text)
    assert token is not None, page
    return browser.post(path, data={"csrf": token[1], **(form or {})}, **more)  # type: ignore[arg-type]


@contextmanager
def client_area(folder: Path, of: Desk | None = None) -> Iterator[Area]:
    with stored_desk(folder, of) as stored:
        writer = Writer(stored.store)
        area: Area

        def clock() -> datetime:
            return area.now

        processor = Processor(
            stored.store,
            writer,
            lambda: stored.office,
            lambda last: None,
            Verifier(lambda: stored.office.desk.rules.trust),
            clock,
        )
        intake = Intake(writer, processor.wake, clock)
        works = Works(stored.store, writer, intake, lambda: stored.office, lambda: None, clock)
        area = Area(stored, Site(works))
        processor.start()
        try:
            yield area
        finally:
            processor.stop()
            area.site.close()
            writer.close()
