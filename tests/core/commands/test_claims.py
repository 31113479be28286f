"""The commands of clients: disputes, money back, limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.commands import claims
from mailgate.core.commands.arguments import LONGEST_ESTIMATE
from mailgate.core.commands.claims import MOST_CLAIMS, maybe_claims, read
from mailgate.core.commands.phrases import LONGEST_YES
from mailgate.core.commands.vocabulary import PROBLEMS, VERBS
from mailgate.core.model import Command, Problem
from tests.support import in_linear_time


def only(line: str) -> Command:
    """The one command of a mail that has nothing else."""
    (command,) = read(line, "SOP")
    assert maybe_claims(line)
    return command


def problem(line: str) -> Problem:
    found = only(line).problem
    assert found is not None
    assert found.code in PROBLEMS
    return found


# ---- disputes


@pytest.mark.parametrize(
    ("line", "entry", "reason"),
    [
        ("#reclamar 345", 345, ""),
        ("#reclamar 345 no lo pedí", 345, "no lo pedí"),
        ("#dispute 345 Not done", 345, "Not done"),
        ("#RECLAMAR #345: demasiado tiempo", 345, "demasiado tiempo"),
        ("＃reclamar\u00a0345\u00a0no", 345, "no"),
        ("#Reclamación 345 - no lo pedí", 345, "no lo pedí"),
        ("#reclamo 345, no lo pedí", 345, "no lo pedí"),
        ("#reclamar: 345", 345, ""),
        ("#reclamar345", 345, ""),
        ("#reclamar el apunte 345 por duplicado", 345, "por duplicado"),
        ("#reclamar nº 345.", 345, ""),
        ("#dispute entry 345 30 minutes is too much", 345, "30 minutes is too much"),
        ("#reclamar 345, 30 minutos es mucho", 345, "30 minutos es mucho"),
        ("#reclamar 345 2 veces lo mismo", 345, "2 veces lo mismo"),
    ],
)
def test_a_dispute_names_an_entry_and_may_give_its_reason(line: str, entry: int, reason: str) -> None:
    assert only(line) == Command("dispute", line, 0, entry=entry, note=reason)


@pytest.mark.parametrize(
    ("line", "entries", "reason"),
    [
        ("#reclamar 345, 346 no lo pedí", [345, 346], "no lo pedí"),
        ("#reclamar 345,346 y 347: no", [345, 346, 347], "no"),
        ("#dispute 345 and 346 not done", [345, 346], "not done"),
        ("#reclamar 345 346 347", [345, 346, 347], ""),
        ("#reclamar apuntes 345, 346, 345 dos veces", [345, 346], "dos veces"),
        ("#reclamar 345, 346, 30 minutos cada uno", [345, 346], "30 minutos cada uno"),
    ],
)
def test_a_line_that_names_several_entries_disputes_each(line: str, entries: list[int], reason: str) -> None:
    assert read(line, "SOP") == tuple(Command("dispute", line, 0, entry=each, note=reason) for each in entries)


@pytest.mark.parametrize(
    ("line", "tickets", "reason"),
    [
        ("#reclamar", [None], ""),
        ("#reclamar no se hizo nada", [None], "no se hizo nada"),
        ("#dispute cargo duplicado", [None], "cargo duplicado"),
        ("#reclamar COVID-19 cartel", [None], "COVID-19 cartel"),
        ("#reclamar SOP-12", [12], ""),
        ("#reclamar [sop-12] no se hizo", [12], "no se hizo"),
        ("#dispute ticket SOP-12, SOP-13: nothing done", [12, 13], "nothing done"),
    ],
)
def test_a_dispute_without_an_entry_is_about_a_whole_ticket(line: str, tickets: list[int | None], reason: str) -> None:
    assert read(line, "SOP") == tuple(Command("dispute", line, 0, ticket=each, note=reason) for each in tickets)


def test_a_tag_with_a_digit_in_it_is_no_entry() -> None:
    assert [(each.ticket, each.entry) for each in read("#reclamar S2-12, 345", "S2")] == [(12, None), (None, 345)]


@pytest.mark.parametrize(
    "text",
    ["345-347", "0", "345abc", "1234567890", "３４５", "30 minutos de más", "2/11", "345, 346-350 no", "345 y 0"],
)
def test_a_number_that_is_no_entrys_is_asked_about(text: str) -> None:
    assert problem(f"#reclamar {text}") == Problem("claim_entry_unreadable", text, "#reclamar 345")


def test_a_mail_disputes_so_many_entries_and_no_more() -> None:
    lines = [f"#reclamar {number}" for number in range(1, MOST_CLAIMS + 1)]
    assert not any(each.problem for each in read("\n".join(lines), "SOP"))
    *some, last = read("\n".join([*lines, "#reclamar 900, 901"]), "SOP")
    assert len(some) == MOST_CLAIMS
    assert last.problem == Problem("claim_too_many", "52", "50")


# ---- money back


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("#devolucion", ""),
        ("#Devolución no estamos contentos", "no estamos contentos"),
        ("#refund: please", "please"),
        ("#reembolso.", ""),
    ],
)
def test_money_back_may_have_a_reason(line: str, reason: str) -> None:
    assert only(line) == Command("refund", line, 0, note=reason)


# ---- limits


@pytest.mark.parametrize(
    ("line", "minutes"),
    [
        ("#tope 30m", 30),
        ("#limit 30", 30),
        ("#límite: 1h 30m.", 90),
        ("#TOPE 45 min, por favor", 45),
        ("#tope30m", 30),
        ("#tope 1m", 1),
        ("#tope 6000m", 6000),
    ],
)
def test_a_limit_is_so_many_minutes(line: str, minutes: int) -> None:
    command = only(line)
    assert (command.name, command.minutes, command.value, command.problem) == ("limit", minutes, "", None)


@pytest.mark.parametrize("words", ["no", "No.", "off", "0", "0m", "ninguno", "sin tope", "sin límite", "none"])
def test_a_limit_is_taken_away(words: str) -> None:
    assert only(f"#tope {words}") == Command("limit", f"#tope {words}", 0, value="off")


@pytest.mark.parametrize("text", ["", "poco", "no más de 30m", "-5m", "1,33h", "12 m 5", "SOP-12 30m"])
def test_a_limit_without_a_length_is_asked_about(text: str) -> None:
    assert problem(f"#tope {text}".strip()) == Problem("limit_unreadable", text, "#tope 30m")


def test_a_limit_past_the_most_says_what_the_most_is() -> None:
    assert problem("#limit 6001m") == Problem("limit_too_long", "6001m", "6000")


# ---- what is text


@pytest.mark.parametrize(
    "line",
    [
        "reclamar 345",
        "Quiero #reclamar 345",
        "> #reclamar 345",
        "    #reclamar 345",
        "# Devolución",
        "## Tope 30m",
        "@refund",
        "#devoluciones",
        "#top 30m",
        "#limited",
        "#limit-bar",
        "#limit:hover",
        "#limit { width: 30px }",
        "#refund(order)",
        "#refund_form",
        "#1 reclamar",
        "#",
    ],
)
def test_any_other_line_of_a_client_is_text(line: str) -> None:
    assert read(line, "SOP") == ()


@pytest.mark.parametrize("name", [name for verb in VERBS for name in (verb.name, verb.spanish)])
def test_a_technicians_command_never_counts_from_a_client(name: str) -> None:
    assert read(f"#{name} 12m\n#{name}\n#{name} 345", "SOP") == ()


def test_claims_stand_where_commands_stand() -> None:
    text = "Hola:\r\n\r\n```\r\n#reclamar 1\r\n```\r\n  #tope 30m\r\nGracias\r\n#reclamar 345\r\n-- \r\n#devolucion"
    assert [(each.name, each.number) for each in read(text, "SOP")] == [("limit", 5), ("dispute", 7)]


# ---- the cheap test


def test_ordinary_mail_is_no_claim() -> None:
    text = "Hola, Marta:\n\nEl formulario de contacto vuelve a fallar desde ayer. ¿Lo podéis mirar?\n\n" * 5
    assert not maybe_claims(text)


_SAID = """
ok vale #reclamar ＃tope #devolución 345 30m no estoy de acuerdo con los minutos quiero la devolución reembolso del
dinero i would like a refund of the package our money back disagree charge que me devuelvan . ,
"""
_WORDS = st.sampled_from([*_SAID.split(), "\n", "\u200b"])


@given(st.lists(_WORDS, min_size=1, max_size=60).map(" ".join))
def test_the_cheap_test_misses_nothing(text: str) -> None:
    for padded in (text, text + " x" * LONGEST_YES):
        found = (
            read(padded, "SOP"),
            claims.agrees(padded),
            claims.disagrees(padded),
            claims.wants_money_back(padded),
        )
        assert maybe_claims(padded) or not any(found)


@given(st.text(), st.sampled_from(["#reclamar ", "#dispute SOP-1 ", "#tope ", "#devolucion", ""]))
def test_nothing_that_a_client_writes_raises(text: str, before: str) -> None:
    for command in read(f"{before}{text}", "SOP"):
        assert command.problem is None or command.problem.code in PROBLEMS
        assert command.minutes is None or 1 <= command.minutes <= LONGEST_ESTIMATE


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["1, ", "1 ", "n.º", "345 y ", "SOP-1,", "x ", " ", "30m ", ".", "el "])
@pytest.mark.parametrize("before", ["#reclamar ", "#tope "])
def test_hostile_lines_take_linear_time(before: str, unit: str) -> None:
    with in_linear_time():
        read(before + unit * (500_000 // len(unit)), "SOP")
        read((before + unit + "\n") * 20_000, "SOP")
