"""Look for bytes that make the desk fail, led by the code that they reach: `make fuzz ARGS='way --seconds 600'`.

What is found is kept in found/<target>/ and is replayed by the suite (`test_found.py`). Begins with the mails of tests/
and what was found before. Needs atheris, which `make fuzz` installs beside the other tools.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mailgate", "email", "mailparser"]):
    from tests.fuzz.targets import TARGETS, _begun

HERE = Path(__file__).parent
SEEDS = HERE.parent / "mails"
LONGEST = 8_192
SLOWEST = 10
MEMORY = 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="make fuzz", description="Look for bytes that make the desk fail.")
    parser.add_argument("target", choices=TARGETS, nargs="?", default="message")
    parser.add_argument("--seconds", type=int, default=300)
    chosen = parser.parse_args()
    if chosen.target == "way":
        _begun()  # before the first input, so that its time is not that input's
    found = HERE / "found" / chosen.target
    found.mkdir(exist_ok=True, parents=True)
    with tempfile.TemporaryDirectory() as grown:
        limits = [
            f"-max_total_time={chosen.seconds}",
            f"-timeout={SLOWEST}",
            f"-max_len={LONGEST}",
            f"-rss_limit_mb={MEMORY}",
        ]
        where = [f"-dict={HERE / 'words.dict'}", f"-artifact_prefix={found}/", grown, str(SEEDS), str(found)]
        atheris.Setup([sys.argv[0], *limits, *where], TARGETS[chosen.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
