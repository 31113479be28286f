from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

import pytest

from mailgate.core.mail import ALARMS, Delivery, Due, Failed, Sent, file_name
from mailgate.edges import outbound
from mailgate.edges.outbound import AlarmTransport, FileTransport, SmtpTransport
from tests.proxy import wire
from tests.servers import PASSWORD, USER, Certificate, Smarthost, eventually, free_port
from tests.sink import Sink, sink

RAW = b"From: soporte@desk.example\r\nTo: ana@client.example\r\nSubject: Hola\r\n\r\nBuenas.\r\n"
DUE = Due(
    id=42,
    created_at=datetime(2026, 11, 23, 9, 5, 7, 123, tzinfo=UTC),
    sender="bounce+42@desk.example",
    to="ana@client.example",
    raw=RAW,
    tries=0,
)


@dataclass(frozen=True)
class Outgoing:
    """What `[outgoing]` says, as far as SMTP goes."""

    port: int
    host: str = "127.0.0.1"
    tls: Literal["none", "starttls", "implicit"] = "none"
    user: str = ""


@asynccontextmanager
async def road(settings: Outgoing, password: str | None = None, connections: int = 1) -> AsyncIterator[SmtpTransport]:
    transport = SmtpTransport(settings, password, connections)
    try:
        yield transport
    finally:
        await transport.close()


async def one(server: Sink, mail: Due = DUE) -> Delivery:
    async with road(Outgoing(server.port)) as transport:
        return await transport.send(mail)


class TestFiles:
    async def test_a_mail_becomes_one_file_with_exactly_its_bytes(self, tmp_path: Path) -> None:
        raw = bytes(range(256))
        assert await FileTransport(tmp_path / "outbox").send(replace(DUE, raw=raw)) == Sent()
        assert [path.read_bytes() for path in (tmp_path / "outbox").iterdir()] == [raw]

    async def test_a_mail_sent_again_after_a_crash_is_still_one_file(self, tmp_path: Path) -> None:
        for tries in range(3):
            assert await FileTransport(tmp_path).send(replace(DUE, tries=tries)) == Sent()
        assert [path.name for path in tmp_path.iterdir()] == [file_name(DUE.created_at, DUE.id)]

    async def test_a_crash_in_the_middle_leaves_no_eml_and_no_obstacle(self, tmp_path: Path) -> None:
        (tmp_path / file_name(DUE.created_at, DUE.id)).with_suffix(".tmp").write_bytes(RAW[:10])
        assert list(tmp_path.glob("*.eml")) == []
        assert await FileTransport(tmp_path).send(DUE) == Sent()
        assert [path.name for path in tmp_path.iterdir()] == [file_name(DUE.created_at, DUE.id)]

    async def test_a_folder_that_cannot_be_written_is_a_failure_for_now(self, tmp_path: Path) -> None:
        (tmp_path / "outbox").write_text("a file where the folder should be")
        result = await FileTransport(tmp_path / "outbox").send(DUE)
        assert isinstance(result, Failed)
        assert not result.permanent
        assert "File exists" in result.error

    def test_names_sort_by_time_whatever_zone_the_time_came_in(self) -> None:
        madrid = timezone(timedelta(hours=1))
        later = replace(DUE, id=7, created_at=datetime(2026, 11, 23, 10, 6, tzinfo=madrid))
        assert file_name(DUE.created_at, DUE.id) == "20261123T090507.000123Z-00000042.eml"
        assert (
            file_name(DUE.created_at, DUE.id)
            < file_name(later.created_at, later.id)
            == "20261123T090600.000000Z-00000007.eml"
        )

    async def test_many_at_once_are_all_there(self, tmp_path: Path) -> None:
        transport = FileTransport(tmp_path)
        mails = [replace(DUE, id=number) for number in range(200)]
        assert set(await asyncio.gather(*map(transport.send, mails))) == {Sent()}
        assert len(list(tmp_path.glob("*.eml"))) == 200


class TestSending:
    async def test_envelope_and_bytes_arrive_as_they_are(self) -> None:
        raw = RAW + b".\r\n..dots\r\n\xf1 and eight bits\r\n"
        async with sink() as server:
            assert await one(server, replace(DUE, raw=raw)) == Sent()
            assert server.taken == [(DUE.sender, [DUE.to], raw)]

    async def test_the_null_sender_is_sent_as_such(self) -> None:
        async with sink() as server:
            assert await one(server, replace(DUE, sender="")) == Sent()
            assert server.taken[0][0] in {"", "<>"}

    async def test_many_mails_share_a_few_connections(self) -> None:
        async with sink() as server, road(Outgoing(server.port), connections=3) as transport:
            mails = [replace(DUE, id=number, to=f"c{number}@client.example") for number in range(60)]
            assert set(await asyncio.gather(*map(transport.send, mails))) == {Sent()}
            assert sorted(to for _, to, _ in server.taken) == sorted([mail.to] for mail in mails)
            assert len(server.connections) == 3

    async def test_a_transport_can_be_used_again_after_close(self) -> None:
        async with sink() as server, road(Outgoing(server.port)) as transport:
            await transport.send(DUE)
            await transport.close()
            assert await transport.send(DUE) == Sent()
            assert len(server.connections) == 2

    async def test_a_transport_that_is_closed_lets_the_mail_under_way_arrive(self) -> None:
        async with sink() as server, road(Outgoing(server.port)) as transport:
            sending = asyncio.create_task(transport.send(DUE))
            await asyncio.sleep(0)
            await transport.close()
            assert await sending == Sent()
            assert len(server.taken) == 1


class TestRefusals:
    @pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
    @pytest.mark.parametrize(
        ("reply", "permanent"), [("451 4.7.1 Greylisted", False), ("550 5.1.1 No\tsuch user", True)]
    )
    async def test_what_is_said_of_the_mail_counts(self, stage: str, reply: str, permanent: bool) -> None:
        async with sink() as server:
            server.replies[stage] = [reply]
            assert await one(server) == Failed(reply.replace("\t", " "), permanent)

    @pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
    async def test_a_refusal_does_not_spoil_the_connection_for_the_next_mail(self, stage: str) -> None:
        async with sink() as server, road(Outgoing(server.port)) as transport:
            server.replies[stage] = ["550 5.7.1 Not this one"]
            assert isinstance(await transport.send(DUE), Failed)
            assert await transport.send(DUE) == Sent()
            assert len(server.connections) == 1

    async def test_a_server_that_wants_a_sign_in_first_refuses_us_and_not_the_mail(self) -> None:
        async with sink(auth=True) as server:
            assert await one(server) == Failed("530 5.7.0 Authentication required")

    async def test_a_refused_ehlo_is_our_own_trouble(self) -> None:
        async with sink() as server:
            server.replies["EHLO"] = ["550 5.7.1 Not from there"]
            assert await one(server) == Failed("550 5.7.1 Not from there")

    async def test_a_refused_connection_greeting_is_our_own_trouble(self) -> None:
        async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"554-no\r\n554 service here\r\n")
            writer.close()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with server, road(Outgoing(server.sockets[0].getsockname()[1])) as transport:
            assert await transport.send(DUE) == Failed("554 no service here")

    async def test_nobody_listening_is_a_failure_for_now(self) -> None:
        async with road(Outgoing(free_port())) as transport:
            result = await transport.send(DUE)
        assert isinstance(result, Failed)
        assert not result.permanent
        assert "127.0.0.1" in result.error

    @pytest.mark.parametrize(
        "address",
        [
            "ana@client.example\r\nRCPT TO:<eve@evil.example>",
            "ana@client.example> SIZE=1",
            "Ana <ana@client.example>",
            "ana@client.example eve@evil.example",
            "aña@client.example",
            "ana",
            "",
        ],
    )
    async def test_what_is_no_address_never_reaches_the_wire(self, address: str) -> None:
        async with sink() as server:
            result = await one(server, replace(DUE, to=address))
            assert isinstance(result, Failed)
            assert result.permanent
            assert result.error.isprintable()
            assert server.connections == []

    async def test_a_bad_sender_is_refused_too(self) -> None:
        async with sink() as server:
            assert isinstance(await one(server, replace(DUE, sender="a@b\r\nDATA")), Failed)
            assert server.connections == []


@asynccontextmanager
async def two_roads(first: int, second: int) -> AsyncIterator[AlarmTransport]:
    """To two servers by their ports."""
    roads = (SmtpTransport(Outgoing(port), None, 1) for port in (first, second))
    transport = AlarmTransport(*roads)
    try:
        yield transport
    finally:
        await transport.close()


class TestAlarms:
    ALARM = replace(DUE, to="admin@desk.example", template="trouble")

    async def test_alarms_alone_go_by_the_second_server(self) -> None:
        async with sink() as first, sink() as second, two_roads(first.port, second.port) as transport:
            for template in ("ack", *ALARMS):
                assert await transport.send(replace(self.ALARM, template=template)) == Sent()
            assert (len(first.taken), len(second.taken)) == (1, len(ALARMS))

    @pytest.mark.parametrize(
        ("stage", "reply"), [("RCPT", "550 5.7.1 no"), ("DATA", "451 4.3.0 later"), ("EHLO", "drop")]
    )
    async def test_while_the_second_fails_the_first_has_them(self, stage: str, reply: str) -> None:
        async with sink() as first, sink() as second, two_roads(first.port, second.port) as transport:
            second.replies[stage] = [reply]
            assert await transport.send(self.ALARM) == Sent()
            assert [to for _, to, _ in first.taken] == [["admin@desk.example"]]

    async def test_what_neither_takes_is_told_of_both_and_given_up_only_where_both_refuse(self) -> None:
        async with sink() as first, sink() as second, two_roads(first.port, second.port) as transport:
            second.replies["RCPT"] = ["550 5.7.1 not yours", "550 5.7.1 not yours"]
            first.replies["RCPT"] = ["451 4.7.1 later", "550 5.1.1 nobody"]
            fates = [await transport.send(self.ALARM) for _ in range(2)]
            assert fates == [
                Failed("550 5.7.1 not yours; by [outgoing]: 451 4.7.1 later"),
                Failed("550 5.7.1 not yours; by [outgoing]: 550 5.1.1 nobody", permanent=True),
            ]

    async def test_a_question_whether_a_server_takes_a_mail_sends_none(self) -> None:
        async with sink() as server, road(Outgoing(server.port)) as transport:
            server.replies["RCPT"] = ["250 2.1.5 OK", "550 5.1.1 nobody"]
            assert await transport.would_take(self.ALARM) == Sent()
            assert await transport.would_take(self.ALARM) == Failed("550 5.1.1 nobody", permanent=True)
            assert server.taken == []
            assert await transport.send(DUE) == Sent()


async def _assert_gets_through(transport: SmtpTransport) -> None:
    """After failures for now, told in words, at the third try at the latest."""
    fates = [await transport.send(DUE) for _ in range(3)]
    assert fates[-1] == Sent()
    failed = [fate for fate in fates if isinstance(fate, Failed)]
    assert all(fate.error and not fate.permanent for fate in failed)


class TestLostConnections:
    async def test_a_kept_connection_that_died_is_replaced_without_a_failure(self) -> None:
        async with sink() as server, road(Outgoing(server.port)) as transport:
            await transport.send(DUE)
            server.drop_all()
            assert await transport.send(DUE) == Sent()
            assert len(server.taken) == 2

    @pytest.mark.parametrize("reply", ["drop", "421 4.7.0 Enough for one connection"])
    async def test_a_kept_connection_that_ends_at_mail_is_replaced_without_a_failure(self, reply: str) -> None:
        async with sink() as server, road(Outgoing(server.port)) as transport:
            await transport.send(DUE)
            server.replies["MAIL"] = [reply]
            assert await transport.send(DUE) == Sent()
            assert (len(server.taken), len(server.connections)) == (2, 2)

    async def test_a_new_connection_that_ends_at_mail_is_a_failure_for_now(self) -> None:
        async with sink() as server:
            server.replies["MAIL"] = ["drop"]
            result = await one(server)
            assert isinstance(result, Failed)
            assert not result.permanent
            assert len(server.connections) == 1

    async def test_after_the_final_dot_nothing_is_sent_twice(self) -> None:
        async with sink() as server, road(Outgoing(server.port)) as transport:
            await transport.send(DUE)
            server.replies["DATA"] = ["drop"]
            result = await transport.send(DUE)
            assert isinstance(result, Failed)
            assert not result.permanent
            assert (len(server.taken), len(server.connections)) == (2, 1)

    async def test_silence_after_the_final_dot_ends_in_a_failure_for_now(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outbound, "_TOTAL_SECONDS", 0.3)
        async with sink() as server, road(Outgoing(server.port)) as transport:
            server.replies["DATA"] = ["stall"]
            result = await transport.send(DUE)
            assert isinstance(result, Failed)
            assert not result.permanent
            assert result.error
            assert await transport.send(DUE) == Sent()

    @pytest.mark.parametrize("octets", [0, 20, 100, 150, 200, 230])
    async def test_a_hop_that_falls_silent_anywhere_is_left_and_the_next_mail_goes_out(
        self, octets: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outbound, "_TOTAL_SECONDS", 0.7)
        async with sink() as server:
            with wire(server.port) as line:
                line.stall_after(octets)
                async with road(Outgoing(line.port)) as transport:
                    await _assert_gets_through(transport)

    @pytest.mark.parametrize("octets", range(0, 260, 20))
    async def test_a_wire_that_is_cut_anywhere_leaves_a_failure_for_now(self, octets: int) -> None:
        async with sink() as server:
            with wire(server.port) as line:
                line.cut_after(octets)
                async with road(Outgoing(line.port)) as transport:
                    await _assert_gets_through(transport)

    async def test_a_hop_that_is_not_there_is_told_from_a_mail_that_it_may_have(self) -> None:
        async with road(Outgoing(free_port())) as transport:
            assert (await transport.send(DUE)).hop  # type: ignore[union-attr]
        async with sink() as server:
            server.replies["DATA"] = ["drop"]
            assert not (await one(server)).hop  # type: ignore[union-attr]

    async def test_a_send_that_is_cancelled_gives_its_connection_back_clean(self) -> None:
        async with sink() as server, road(Outgoing(server.port)) as transport:
            server.replies["RCPT"] = ["stall"]
            sending = asyncio.create_task(transport.send(DUE))
            while server.replies["RCPT"]:  # until the server keeps it waiting
                await asyncio.sleep(0.01)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            assert await transport.send(DUE) == Sent()
            assert len(server.taken) == 1


class TestSignInAndTls:
    async def test_the_password_is_used_when_there_is_a_user(self) -> None:
        async with sink(auth=True) as server:
            async with road(Outgoing(server.port, user=USER), PASSWORD) as transport:
                assert await transport.send(DUE) == Sent()
            assert server.logins == [(USER.encode(), PASSWORD.encode())]

    async def test_a_wrong_password_is_a_failure_for_now_and_is_not_told(self) -> None:
        async with (
            sink(auth=True) as server,
            road(Outgoing(server.port, user=USER), "not-this-one") as transport,
        ):
            result = await transport.send(DUE)
        assert isinstance(result, Failed)
        assert not result.permanent
        assert result.error.startswith("535")

    async def test_a_server_that_echoes_the_password_does_not_get_it_into_the_outbox(self) -> None:
        async with sink(auth=True) as server, road(Outgoing(server.port, user=USER), PASSWORD) as transport:
            server.replies["MAIL"] = [f"550 who says {PASSWORD}?"]
            assert await transport.send(DUE) == Failed("550 who says ***?", permanent=True)

    @pytest.mark.servers
    @pytest.mark.parametrize("tls", ["starttls", "implicit"])
    async def test_a_trusted_certificate_is_taken(
        self, trusted: Certificate, tls: Literal["starttls", "implicit"]
    ) -> None:
        async with sink(trusted, implicit=tls == "implicit") as server:
            async with road(Outgoing(server.port, tls=tls)) as transport:
                assert await transport.send(DUE) == Sent()
            assert len(server.taken) == 1

    @pytest.mark.servers
    @pytest.mark.parametrize("tls", ["starttls", "implicit"])
    async def test_an_unknown_certificate_sends_nothing(
        self, own_certificate: Certificate, tls: Literal["starttls", "implicit"]
    ) -> None:
        async with sink(own_certificate, implicit=tls == "implicit") as server:
            async with road(Outgoing(server.port, tls=tls)) as transport:
                result = await transport.send(DUE)
            assert isinstance(result, Failed)
            assert not result.permanent
            assert "CERTIFICATE_VERIFY_FAILED" in result.error
            assert server.taken == []

    async def test_a_server_without_starttls_gets_no_plain_text(self) -> None:
        async with sink() as server:
            async with road(Outgoing(server.port, tls="starttls", user=USER), PASSWORD) as transport:
                result = await transport.send(DUE)
            assert isinstance(result, Failed)
            assert not result.permanent
            assert (server.taken, server.logins) == ([], [])


@pytest.mark.servers
class TestPostfix:
    async def test_a_mail_is_delivered_behind_a_real_smarthost(self, smarthost: Smarthost) -> None:
        mail = replace(DUE, raw=RAW.replace(b"Hola", b"Por Postfix"))
        async with road(Outgoing(smarthost.port)) as transport:
            assert await transport.send(mail) == Sent()
        await asyncio.to_thread(eventually, lambda: any(b"Por Postfix" in raw for raw in smarthost.mails()))
        delivered = next(raw for raw in smarthost.mails() if b"Por Postfix" in raw)
        assert b"Return-Path: <bounce+42@desk.example>" in delivered

    async def test_starttls_with_a_real_smarthost(self, smarthost: Smarthost, trusted: Certificate) -> None:
        async with road(Outgoing(smarthost.port, tls="starttls")) as transport:
            assert await transport.send(DUE) == Sent()

    async def test_what_a_real_smarthost_refuses_is_told_in_its_words(self, smarthost: Smarthost) -> None:
        async with road(Outgoing(smarthost.port)) as transport:
            result = await transport.send(replace(DUE, raw=b"x" * 60_000_000))
            assert result == Failed("552 5.3.4 Message size exceeds fixed limit", permanent=True)
            assert await transport.send(DUE) == Sent()
