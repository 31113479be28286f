"""Mails are sealed in the store; keys change, are missing, are lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mailgate.core.mail import Envelope
from mailgate.errors import Refused
from mailgate.service import backup, keys
from mailgate.service.jobs import sealing as job
from mailgate.store import Store, blobs, journal, outbox, sealing
from mailgate.store.keyring import Key, KeyLostError, Keyring
from tests.stored import StoredDesk, damage, stored_desk
from tests.support import NOW

CANARY = b"C4nary-Xk9zz"
MAIL = b"From: ana@acme.example\r\nSubject: x\r\n\r\nclave " + CANARY + b"\r\n"


def taken(store: Store, raw: bytes = MAIL) -> int:
    with store.write() as tx:
        return journal.take(tx, raw, Envelope("smtp", "ana@acme.example", ("soporte@example.es",)), NOW)


def on_disk(data: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(data.glob("mailgate.db*")))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_mails_cannot_be_read_in_the_files_of_the_store(data: Path) -> None:
    store = keys.opened(data, NOW)
    number = taken(store)
    assert CANARY not in on_disk(data)
    store.close()
    assert CANARY not in on_disk(data)
    with keys.opened(data, NOW).read() as tx:
        found = journal.get(tx, number)
    assert found is not None and found.raw == MAIL
    assert (data / "vault.key").stat().st_mode & 0o777 == 0o600


def test_same_bytes_are_kept_once_and_nobody_can_try_what_they_are(data: Path) -> None:
    store = keys.opened(data, NOW)
    taken(store)
    taken(store)
    with store.read() as tx:
        digests = [row["digest"] for row in tx.rows("select digest from blob")]
    assert len(digests) == 1
    assert digests != [Keyring([b"\0" * 32]).newest.digest(MAIL)]


def test_what_was_changed_or_moved_is_not_taken_for_a_mail() -> None:
    key = Key(b"k" * 32)
    sealed = key.seal(MAIL, "mail")
    assert key.open(sealed, "mail") == MAIL
    assert key.seal(MAIL, "mail") != sealed
    for wrong, purpose in ((sealed[:-1] + b"\0", "mail"), (sealed[:10], "mail"), (sealed, "secret")):
        with pytest.raises(Refused, match="was changed"):
            key.open(wrong, purpose)


def test_a_new_key_seals_at_once_and_the_rest_bit_by_bit(data: Path) -> None:
    with stored_desk(data) as desk:
        before = desk.store.keyring.newest.name
        first = taken(desk.store)
        name = keys.rotate(data, desk.store, NOW, lost=False)
        assert name == desk.store.keyring.newest.name != before
        second = taken(desk.store, MAIL + b"more")
        with desk.store.read() as tx:
            assert sealing.left(tx) == 1
        assert _ticks(desk) == [1, 0]
        with desk.store.read() as tx:
            assert [one.name for one in sealing.known(tx)] == [name]
            assert [row["key"] for row in tx.rows("select key from blob")] == [name, name]
            kept = [journal.get(tx, number) for number in (first, second)]
        assert [one.raw for one in kept if one] == [MAIL, MAIL + b"more"]


def test_a_damaged_mail_keeps_no_other_from_the_new_key_and_stays_under_its_own(data: Path) -> None:
    with stored_desk(data) as desk:
        before = desk.store.keyring.newest.name
        for number in range(3):
            taken(desk.store, MAIL + str(number).encode())
        with desk.store.write() as tx:
            damage(tx, 1)
        name = keys.rotate(data, desk.store, NOW, lost=False)
        assert _ticks(desk) == [2, 0]
        with desk.store.read() as tx:
            assert [row["key"] for row in tx.rows("select key from blob order by id")] == [before, name, name]
            assert {one.name for one in sealing.known(tx)} == {before, name}


def test_a_running_desk_takes_a_new_key_up(data: Path) -> None:
    with stored_desk(data) as desk:
        taken(desk.store)
        beside = keys.opened(data, NOW)
        name = keys.rotate(data, beside, NOW, lost=False)
        number = taken(desk.store, MAIL + b"in between")  # under the key that it knows
        assert _ticks(desk) == [2, 0]
        assert desk.store.keyring.newest.name == name
        with beside.read() as tx:
            kept = journal.get(tx, number)
        assert kept is not None and kept.raw == MAIL + b"in between"


def test_what_an_earlier_version_left_in_clear_is_read_and_sealed(data: Path) -> None:
    with stored_desk(data) as desk:
        with desk.store.write() as tx:
            for number in range(3):
                raw = MAIL + str(number).encode()
                tx.run("insert into blob (digest, size, data) values (:d, :s, :r)", d=f"d{number}", s=len(raw), r=raw)
            assert blobs.get(tx, 2) == MAIL + b"1"
            again = blobs.put(tx, MAIL + b"1")
        assert _ticks(desk) == [3, 0]
        with desk.store.read() as tx:
            kept = [blobs.get(tx, number) for number in (1, 2, 3, again)]
            assert kept == [MAIL + number for number in (b"0", b"1", b"2", b"1")]
            assert tx.value("select count(*) from blob where key = ''") == 0


def test_no_second_key_is_made_beside_a_store_that_has_one(data: Path) -> None:
    store = keys.opened(data, NOW)
    number = taken(store)
    store.close()
    (data / "vault.key").rename(data / "away")
    store = keys.opened(data, NOW)
    assert not (data / "vault.key").exists()
    assert "is missing" in store.keyring.fault
    with pytest.raises(KeyLostError, match="mailgate key rotate --lost"):
        taken(store)
    with store.read() as tx, pytest.raises(KeyLostError):
        journal.get(tx, number)
    (data / "away").rename(data / "vault.key")
    with keys.opened(data, NOW).read() as tx:
        assert journal.get(tx, number)


def test_another_key_in_its_place_seals_nothing(data: Path) -> None:
    taken(keys.opened(data, NOW))
    (data / "vault.key").write_text("ab" * 32 + "\n")
    with pytest.raises(KeyLostError, match="is missing"):
        taken(keys.opened(data, NOW), b"other")


def test_a_key_that_vanishes_under_a_running_desk_is_told_and_stops_nothing(data: Path) -> None:
    with stored_desk(data) as desk:
        (data / "vault.key").unlink()
        assert _ticks(desk) == [0]
        taken(desk.store)
        with desk.store.read() as tx:
            assert "is missing" in keys.at_hand(tx).fault


def test_after_a_key_is_lost_for_good_the_desk_goes_on(data: Path) -> None:
    with stored_desk(data) as desk:
        desk.take()
        waiting = taken(desk.store)
    (data / "vault.key").unlink()
    with stored_desk(data) as desk:
        keys.rotate(data, desk.store, NOW, lost=True)
        with desk.store.read() as tx:
            assert not keys.at_hand(tx).fault
            assert outbox.queued(tx) == 0
            assert journal.is_waiting(tx, waiting) is False
            assert tx.rows("select reason from quarantine") == [{"reason": "the key is lost under which it was kept"}]
        number = taken(desk.store, MAIL + b"new")
        with desk.store.read() as tx:
            kept = journal.get(tx, number)
        assert kept is not None and kept.raw == MAIL + b"new"


@pytest.mark.parametrize("content", ["", "abc\n", "zz" * 32, "ab" * 31, "# nothing\n"])
def test_a_file_without_keys_is_refused(data: Path, content: str) -> None:
    (data / "vault.key").write_text(content)
    (data / "vault.key").chmod(0o600)
    with pytest.raises(Refused, match="64 hex digits"):
        keys.opened(data, NOW)


def test_keys_that_others_may_read_are_refused(data: Path) -> None:
    keys.opened(data, NOW).close()
    (data / "vault.key").chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        keys.opened(data, NOW)


def test_a_credential_of_systemd_goes_before_the_file(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = data.parent / "credentials"
    given.mkdir()
    (given / "mailgate.vault").write_text("cd" * 32)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    store = keys.opened(data, NOW)
    taken(store)
    assert not (data / "vault.key").exists()
    assert store.keyring.names == (Key(b"\xcd" * 32).name,)
    with pytest.raises(Refused, match="put a line of 64 random hex digits on top"):
        keys.rotate(data, store, NOW, lost=False)


def test_a_backup_cannot_be_read_without_its_keys(data: Path, tmp_path: Path) -> None:
    with stored_desk(data) as desk:
        desk.take(MAIL)
        backup.back_up(desk.store, tmp_path / "copy.db", NOW, lambda done, pages: None, force=False)
    assert CANARY not in (tmp_path / "copy.db").read_bytes().replace(b"clave " + CANARY, b"")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert [row for row in copy.execute("select data from blob") if CANARY in row[0]] == []
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert backup.restore(elsewhere, tmp_path / "copy.db", NOW, force=False).fault == ""
    with keys.opened(elsewhere, NOW).read() as tx:
        assert (kept := journal.get(tx, 1)) and kept.raw == MAIL


def test_a_backup_whose_keys_are_elsewhere_is_restored_and_says_so(data: Path, tmp_path: Path) -> None:
    with stored_desk(data) as desk:
        desk.take(MAIL)
        made = backup.back_up(desk.store, tmp_path / "c.db", NOW, lambda *_: None, force=False, with_keys=False)
        assert made.keys is None and not (tmp_path / "c.db.key").exists()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "is missing" in backup.restore(elsewhere, tmp_path / "c.db", NOW, force=False).fault
    (elsewhere / "vault.key").write_bytes((data / "vault.key").read_bytes())
    (elsewhere / "vault.key").chmod(0o600)
    with keys.opened(elsewhere, NOW).read() as tx:
        assert (kept := journal.get(tx, 1)) and kept.raw == MAIL


def _ticks(desk: StoredDesk) -> list[int]:
    """Run the job until it has nothing to do; how many mails it sealed each time."""
    done = []
    while not done or done[-1]:
        with desk.store.write() as tx:
            done.append(job.run(tx, desk.office, NOW))
    return done
