"""Waiting, on a machine with its own date."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailgate.pause import pause

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def test_it_waits():
    begun = time.monotonic()
    pause(0.05)
    assert time.monotonic() - begun >= 0.05


@pytest.mark.skipif(FAKETIME is None, reason="needs libfaketime")
def test_it_waits_where_only_the_date_is_faked():
    faked = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+400d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    program = "from mailgate.pause import pause; pause(0.05)"
    subprocess.run([sys.executable, "-c", program], env={**os.environ, **faked}, check=True, timeout=60)
