"""The story on paper: who is chosen, what the letters are, and what counts as played."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailgate import config
from mailgate.core.mail import Envelope, Mail
from mailgate.core.message import mime
from mailgate.core.model import Status, Ticket
from mailgate.core.reading import fresh
from mailgate.demo.cast import Cast, cast
from mailgate.demo.desk import RunningDesk
from mailgate.demo.letters import Letter, screenshot
from mailgate.demo.outcome import Standing, differences, told
from mailgate.demo.stage import Stage, free_port
from mailgate.demo.story import STORY, Past, Then
from mailgate.errors import Refused
from mailgate.store import Store

RULES = config.load(Path(__file__).resolve().parents[2] / "rules.toml")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TICKET = Ticket(1, "acme", "La web da error 500", "ana@acme.example", NOW, status=Status.WAITING)
STANDING = Standing(228, TICKET, "SOP-1", worked=12)


@pytest.fixture
def players() -> Cast:
    return cast(RULES)


def _mail_to(address: str, text: str = "") -> Mail:
    return Mail(
        "j1.0.x@example.es",
        "",
        "soporte@example.es",
        "Soporte",
        reply_to="soporte+1.token@example.es",
        to=(address,),
        subject="[SOP-1 Acme] La web",
        text=text,
    )


def _read(letter: Letter) -> Mail:
    return mime.parse(letter.raw, Envelope("smtp", letter.sender, (letter.to,)))


def test_the_people_are_the_first_client_and_who_works_for_them(players: Cast) -> None:
    assert players.person.address == "ana@acme.example"
    assert players.person.name == "Ana"
    assert players.technician.address == "marta@example.es"
    assert players.words.locale == "es"


def test_rules_without_clients_have_nobody_to_play_with() -> None:
    with pytest.raises(Refused, match="--own"):
        cast(RULES.model_copy(update={"clients": {}}))


def test_the_stranger_is_nobody_that_the_rules_know(players: Cast) -> None:
    assert RULES.who(players.stranger.address) is None
    assert players.role(players.stranger.address) == ""


def test_the_first_letter_carries_the_screenshot_byte_for_byte(players: Cast) -> None:
    letter = STORY[0].letter(players, Past("run", NOW))
    mail = _read(letter)
    assert [file.name for file in mail.attachments] == ["captura.png"]
    assert mime.contents(letter.raw, [mail.attachments[0].part])[mail.attachments[0].part] == screenshot()
    assert mail.text.startswith("Buenos días")


def test_two_performances_never_share_a_message_id(players: Cast) -> None:
    first, second = (STORY[0].letter(players, Past(run, NOW)).message_id for run in ("a", "b"))
    assert first != second


def test_the_repeated_mail_is_the_same_byte_for_byte(players: Cast) -> None:
    past = Past("run", NOW)
    first = STORY[0].letter(players, past)
    assert STORY[1].letter(players, replace(past, letters=(first,))) == first


def test_the_answer_from_a_phone_has_its_commands_fresh_and_the_old_one_quoted(players: Cast) -> None:
    past = Past("run", NOW, mails=(_mail_to("marta@example.es", "Ana escribe:\n\n> La tienda da error 500\n"),))
    letter = STORY[2].letter(players, past)
    reading = fresh.read(_read(letter), (), first=False)
    assert letter.to == "soporte+1.token@example.es"
    assert "#time 45m" in reading.whole
    assert reading.fresh.splitlines()[-2:] == ["#time 12m", "#status waiting"]
    assert reading.doubt == ""


def test_replies_go_to_the_latest_mail_that_has_a_ticket(players: Cast) -> None:
    answer = _mail_to("ana@acme.example")
    balance = replace(answer, message_id="j2.0.x@example.es", reply_to=None)
    assert Past("run", NOW, mails=(answer, balance)).latest(players, "client") is answer


def test_every_scene_is_told_with_names_that_there_are(players: Cast) -> None:
    names = {"person": "Ana", "technician": "Marta", "stranger": "Luis"}
    for scene in STORY:
        assert "{" not in (scene.title + scene.why).format(**names)


def test_a_scene_that_went_as_told_has_no_differences(players: Cast) -> None:
    then = Then(Status.WAITING, 12, ("client",))
    assert [*differences(then, [_mail_to("ana@acme.example")], STANDING, players)] == []


def test_each_difference_is_named(players: Cast) -> None:
    then = Then(Status.CLOSED, 17, ("client",), file=".csv")
    mails = [_mail_to("luis@stranger.example"), _mail_to("marta@example.es")]
    assert [*differences(then, mails, STANDING, players)] == [
        "the ticket is waiting, not closed",
        "12 minutes are on the ticket, not 17",
        "there is no mail to the client",
        "there is a mail to luis@stranger.example that should not be",
        "there is a mail to technician that should not be",
        "no .csv came with the mails",
    ]


def test_what_changed_is_told_in_a_line() -> None:
    before = Standing(240, replace(TICKET, status=Status.NEW), "SOP-1")
    assert told(before, STANDING, "Acme") == "SOP-1: new → waiting, work 0 → 12 min, Acme 240 → 228 min."
    assert told(STANDING, STANDING, "Acme").startswith("Nothing has changed: SOP-1 is waiting")


def test_a_desk_that_does_not_answer_is_one_clear_line(tmp_path: Path, players: Cast) -> None:
    store = Store(tmp_path / "mailgate.db")
    stage = Stage(RULES, Path("rules.toml"), tmp_path, "127.0.0.1", free_port(), "")
    with pytest.raises(Refused, match=r"the desk at 127\.0\.0\.1:\d+ did not take it: .*refused"):
        RunningDesk(stage, store).hand_in(STORY[0].letter(players, Past("run", NOW)))
    store.close()
