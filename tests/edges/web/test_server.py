"""The client area as it listens: beside the mails, behind a proxy, and on an address that somebody else has."""

from __future__ import annotations

import asyncio
import logging
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mailgate.core.settings.servers import Web
from mailgate.edges.web.server import ClientArea
from tests.edges.web.area import Area
from tests.running import RULES, RunningDesk, started
from tests.servers import free_port
from tests.support import written


@asynccontextmanager
async def listening(area: Area, *proxies: str) -> AsyncIterator[str]:
    """The client area on a port of its own; gives its address."""
    port = free_port()
    served = ClientArea(Web(listen=f"127.0.0.1:{port}", proxies=proxies), area.site.works)  # type: ignore[arg-type]
    await served.start()
    try:
        assert served.place == f"127.0.0.1:{port}"
        yield f"http://127.0.0.1:{port}"
    finally:
        await served.stop()


async def ask(url: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str]:
    """Code and text of an answer."""

    def asked() -> tuple[int, str]:
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await asyncio.to_thread(asked)


async def test_health_says_that_pages_can_be_served(area: Area) -> None:
    async with listening(area) as url:
        assert await ask(f"{url}/health") == (200, "ok\n")


async def test_where_somebody_comes_from_is_told_by_our_own_proxy_alone(area: Area) -> None:
    form = {"address": "eva@nueva.example"}
    async with listening(area, "127.0.0.0/8") as url:
        codes = [(await ask(f"{url}/sign-in", form, X_Forwarded_For="192.0.2.1"))[0] for _ in range(21)]
        assert codes == [200] * 20 + [429]
        assert (await ask(f"{url}/sign-in", form, X_Forwarded_For="192.0.2.2"))[0] == 200
    async with listening(area, "192.0.2.9") as url:
        codes = [(await ask(f"{url}/sign-in", form, X_Forwarded_For=f"192.0.2.{n}"))[0] for n in range(21)]
        assert codes == [200] * 20 + [429]


async def test_a_form_that_is_too_big_is_refused_before_it_is_read(area: Area) -> None:
    async with listening(area) as url:
        assert (await ask(f"{url}/sign-in", {"address": "x" * 100_000}))[0] == 413
        assert (await ask(f"{url}/health"))[0] == 200


async def test_an_address_that_is_taken_leaves_the_client_area_off(
    area: Area, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as other, caplog.at_level(logging.ERROR):
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        served = ClientArea(Web(listen=f"127.0.0.1:{port}"), area.site.works)  # type: ignore[arg-type]
        await served.start()
        assert served.place == ""
        assert f"the client area is off: cannot listen on 127.0.0.1:{port}" in caplog.text
        await served.stop()


def test_mails_go_on_while_the_address_is_somebody_elses(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        desk = RunningDesk(tmp_path, free_port(), free_port(), other.getsockname()[1])
        written_rules = RULES.format(smtp=desk.smtp_port, lmtp=desk.lmtp_port, web=desk.web_port)
        desk.rules_path.write_text(written_rules)
        with started(desk):
            desk.send(written(), "ana@acme.example")
            assert len(desk.wait_for(2)) == 2
