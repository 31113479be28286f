"""A desk on disk for the tests of the use cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stored import StoredDesk, stored_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[StoredDesk]:
    with stored_desk(tmp_path) as opened:
        yield opened
