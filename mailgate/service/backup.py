"""Copy the whole desk while it works, and put a copy back; neither counts until it is proven.

A backup is the store, and in it the secret that reply addresses are made from. Its mails are sealed; their keys lie
beside it in a file of their own, for a place of their own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mailgate import __version__, disk
from mailgate.core.erasure import mark
from mailgate.errors import NotFound, Refused, StoreUnavailable
from mailgate.service import keys
from mailgate.service.audit import MOST_TOLD, Audit, audited
from mailgate.service.secret import NAME, RESTORING, complete_restore, desk_key
from mailgate.store import STORE, Store, backups, erasure, events, outbox, sealing, tickets
from mailgate.store.backups import Numbers, Seal

Progress = Callable[[int, int], None]

_UNPROVEN = ".unproven"
# Where the store from before cannot tell how many it gave since the backup: more than in a day or two.
_GAP = 100


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made. size: bytes; audit: what its proof found. keys: the file of its keys, None for none."""

    file: Path
    at: datetime
    size: int
    audit: Audit
    keys: Path | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """A copy that is the store now. kept: the store from before; queued: mails that go out, perhaps again.

    fault: why its mails cannot be read, "" where they can. back: clients in it who were forgotten since.
    """

    made_at: datetime
    version: str
    kept: Path | None
    queued: int
    next_ticket: int
    fault: str = ""
    back: list[str] = field(default_factory=list)


def back_up(
    store: Store, file: Path, now: datetime, progress: Progress, *, force: bool, with_keys: bool = True
) -> Backup:
    """Copy, prove the copy, and only then give it its name. force: over a file that is there.

    with_keys: beside it, unless they are a credential, which is kept elsewhere. A copy whose books do not add up
    is kept as `….unproven`: who mends them wants one.
    """
    if file.exists() and not force:
        raise Refused(f"{file}: is there already; choose another name, or --force")
    if not file.parent.is_dir():
        raise NotFound(f"{file.parent}: no such folder")
    key = desk_key(store.path.parent)
    try:
        with disk.workshop(file.parent / ".mailgate-backup") as work:
            draft = work / STORE
            draft.touch(mode=0o600)
            with store.read() as tx:
                _make_sure_of_room(file.parent, backups.size(tx))
                backups.copy(tx, draft, progress)
            backups.seal(draft, Seal(now, __version__, key))
            audit = _proof(draft)
            file = file.with_name(file.name + _UNPROVEN) if audit.problems else file
            disk.sync(draft)
            beside = _keys_beside(store.path.parent, file) if with_keys else None
            draft.replace(file)
            disk.sync(file.parent)
    except StoreUnavailable as error:
        raise StoreUnavailable(f"{file}: cannot be written now: {error.__cause__ or error}") from error
    if not audit.problems:
        _note(store, file, now)
    return Backup(file, now, file.stat().st_size, audit, beside)


def keep_newest(folder: Path, most: int) -> list[Path]:
    """Remove the oldest backups of a folder that were named by their time; gives those that went."""
    old = sorted(folder.glob(_dated("*")), reverse=True)[most:]
    for path in old:
        path.unlink()
        key_file(path).unlink(missing_ok=True)
    return old


def key_file(file: Path) -> Path:
    """Where the keys of a backup lie beside it."""
    return file.with_name(f"{file.name}.key")


def name_at(now: datetime) -> str:
    """The name of a backup in a folder of backups: sorts by time."""
    return _dated(f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")


def restore(data: Path, file: Path, now: datetime, *, force: bool) -> Restored:
    """Prove a backup, then make it the store of a data folder; the one from before is kept beside it.

    For the holder of the daemon's lock. Killed at whatever point, the folder has the old store whole or
    the new one. force: also a copy whose books do not add up.
    """
    if not file.is_file():
        raise NotFound(f"{file}: no such file")
    complete_restore(data)
    with disk.workshop(data / RESTORING) as work:
        draft = work / STORE
        shutil.copyfile(file, draft)
        try:
            seal = backups.unseal(draft)
            _bring_up_to_date(draft)
            audit = _proof(draft)
        except Refused as refusal:
            raise Refused(f"{file}: {refusal}") from refusal
        if audit.problems and not force:
            raise Refused("\n".join([*audit.problems[:MOST_TOLD], f"{file}: its books do not add up; see --force"]))
        with backups.set_still(data / STORE) as before:
            queued, next_ticket = _finish(draft, seal, backups.numbers(before) if before else None, now)
            back = _back_again(draft, seal.secret, erasure.marks(before) if before else {})
            if key_file(file).exists():
                keys.adopt(data, keys.read_file(key_file(file)))
            kept = _swap(data, work, seal.secret, now)
    return Restored(seal.at, seal.version, kept, queued, next_ticket, _fault(data), back)


def _proof(draft: Path) -> Audit:
    with backups.untouched(draft) as tx:
        return audited(tx)


def _keys_beside(data: Path, file: Path) -> Path | None:
    """The keys before the copy: one that is there can be read."""
    if keys.place(data) != data / keys.NAME:
        return None
    disk.put(key_file(file), (data / keys.NAME).read_bytes())
    return key_file(file)


def _make_sure_of_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoreUnavailable(f"needs {needed >> 20} MB, and {free >> 20} MB are free")


def _note(store: Store, file: Path, now: datetime) -> None:
    try:
        with store.write() as tx:
            events.record(tx, "backup", "", now.isoformat(), now)
    except StoreUnavailable as error:
        raise StoreUnavailable(f"{file}: is good, but that it was made cannot be noted: {error}") from error


def _dated(moment: str) -> str:
    return f"mailgate-{moment}.db"


def _bring_up_to_date(draft: Path) -> None:
    """A backup of an earlier version gets the schema of this one."""
    Store(draft).close()


def _finish(draft: Path, seal: Seal, before: Numbers | None, now: datetime) -> tuple[int, int]:
    """Note in the new store where it comes from. before: numbers that are taken, None where nobody knows.

    People hold mails that name tickets and entries which the backup does not know: none is given twice.
    """
    store = Store(draft)
    try:
        with store.write() as tx:
            mine = backups.numbers(tx)
            taken = before or Numbers(mine.ticket + _GAP, mine.entry + _GAP)
            given = Numbers(max(mine.ticket, taken.ticket), max(mine.entry, taken.entry))
            backups.note_restore(tx, seal.at, given, now)
            events.record(tx, "backup", "", seal.at.isoformat(), seal.at)
            return outbox.queued(tx), tickets.next_id(tx)
    finally:
        store.close()


def _back_again(draft: Path, key: bytes, marks: Mapping[str, str]) -> list[str]:
    """Clients of the backup who were forgotten since. marks: of the store from before."""
    store = Store(draft)
    try:
        with store.write() as tx:
            erasure.remember(tx, marks)
            known = set(marks.values())
            return [client for client in erasure.clients(tx) if mark(key, client) in known]
    finally:
        store.close()


def _swap(data: Path, work: Path, key: bytes, now: datetime) -> Path | None:
    """Put the new store and its secret in the place of the old ones, which stay under another name."""
    waiting = work / NAME
    try:
        waiting.write_bytes(key)
        for path in (work / STORE, waiting):
            path.chmod(0o600)
            disk.owned_like(path, data)
            disk.sync(path)
        disk.sync(work)
        kept = _set_aside(data, f".before-restore-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
        (work / STORE).replace(data / STORE)
    except BaseException:
        waiting.unlink(missing_ok=True)  # alone it would count for a restore that has happened
        disk.sync(work)
        raise
    disk.sync(data)
    complete_restore(data)
    return kept


def _fault(data: Path) -> str:
    """Of a store that an earlier version wrote nothing is sealed: it gets its key when it is opened."""
    store = Store(data / STORE)
    with store.read() as tx:
        fault = keys.at_hand(tx).fault if sealing.known(tx) else ""
    store.close()
    return fault


def _set_aside(data: Path, suffix: str) -> Path | None:
    """Give the store from before a second name, so that the folder is never without one; and its secret."""
    for name in (STORE, NAME):
        path, kept = data / name, data / f"{name}{suffix}"
        if path.exists() and not (kept.exists() and kept.samefile(path)):  # linked before a kill
            os.link(path, kept)
    # There only where the store was damaged: a log of another store would be taken for the new one's.
    for end in ("-wal", "-shm"):
        if (data / f"{STORE}{end}").exists():
            (data / f"{STORE}{end}").rename(data / f"{STORE}{suffix}{end}")
    disk.sync(data)
    return data / f"{STORE}{suffix}" if (data / STORE).exists() else None
