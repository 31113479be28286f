"""A store in a file of its own, as the daemon opens it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgate.service import keys
from mailgate.service.office import Office
from mailgate.store import Store
from mailgate.store.writer import Writer
from tests import support
from tests.stored import RENDERER
from tests.support import NOW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = keys.opened(tmp_path, NOW)
    yield opened
    opened.close()


@pytest.fixture
def writer(store: Store) -> Iterator[Writer]:
    running = Writer(store)
    yield running
    running.close()


@pytest.fixture
def office() -> Office:
    return Office(support.desk(), RENDERER)
