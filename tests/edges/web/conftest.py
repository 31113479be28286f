"""A client area for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edges.web.area import Area, client_area


@pytest.fixture
def area(tmp_path: Path) -> Iterator[Area]:
    with client_area(tmp_path) as found:
        yield found
