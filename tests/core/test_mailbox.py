from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.mailbox import FETCH_BYTES, FETCH_MOST, SEARCH_MOST, mailbox_name, portions, searches

BIG = 25_000_000


def test_an_empty_mailbox_is_not_searched() -> None:
    assert list(searches(last=7, exists=0, uid_next=8)) == []


def test_a_usual_mailbox_is_searched_once_however_high_its_uids_are() -> None:
    assert list(searches(last=7, exists=SEARCH_MOST, uid_next=4_000_000_000)) == ["8:*"]


def test_a_huge_mailbox_is_searched_in_blocks_below_uidnext() -> None:
    found = list(searches(last=0, exists=SEARCH_MOST + 1, uid_next=120_001))
    assert found == ["1:50000", "50001:100000", "100001:120000"]


def test_a_huge_mailbox_with_nothing_new_is_not_searched() -> None:
    assert list(searches(last=120_000, exists=SEARCH_MOST + 1, uid_next=120_001)) == []


def test_a_server_without_uidnext_is_searched_to_the_end() -> None:
    assert list(searches(last=5, exists=SEARCH_MOST + 1, uid_next=None)) == ["6:*"]


def test_small_messages_are_fetched_fifty_at_once() -> None:
    sizes = dict.fromkeys(range(1, 102), 4000)
    assert [len(portion) for portion in portions(sizes, BIG)] == [FETCH_MOST, FETCH_MOST, 1]


def test_a_big_message_is_fetched_alone_and_in_its_place() -> None:
    assert list(portions({3: 10, 1: 10, 2: FETCH_BYTES + 1}, BIG)) == [[1], [2], [3]]


def test_a_message_as_big_as_allowed_is_fetched_with_others_and_a_bigger_one_is_not() -> None:
    assert list(portions({1: 1, 2: 99}, max_size=100)) == [[1, 2]]
    assert list(portions({1: 1, 2: 101, 3: 1}, max_size=100)) == [[1], [2], [3]]


def test_the_name_of_a_mailbox_does_not_depend_on_the_case_of_its_host() -> None:
    assert mailbox_name("IMAP.Example.es", "soporte@example.es", "INBOX") == (
        "imap.example.es/soporte@example.es/INBOX"
    )


@given(st.dictionaries(st.integers(1), st.integers(0, 3_000_000)), st.integers(1, 2_000_000))
def test_portions_hold_every_message_once_in_order(sizes: dict[int, int], max_size: int) -> None:
    parts = list(portions(sizes, max_size))
    assert [uid for part in parts for uid in part] == sorted(sizes)
    for part in parts:
        assert len(part) <= FETCH_MOST
        assert len(part) == 1 or sum(sizes[uid] for uid in part) <= min(FETCH_BYTES, max_size)


@given(last=st.integers(0, 200_000), exists=st.integers(0, 200_000), uid_next=st.integers(1, 200_000))
def test_searches_cover_everything_above_the_last_one(last: int, exists: int, uid_next: int) -> None:
    sets = [uid_set.split(":") for uid_set in searches(last, exists, uid_next)]
    top = max(uid_next, last + 1)
    covered = [(int(low), top - 1 if high == "*" else int(high)) for low, high in sets]
    if exists:
        assert sum(high - low + 1 for low, high in covered) == top - 1 - last
    assert all(high - low < SEARCH_MOST for low, high in covered) or exists <= SEARCH_MOST
