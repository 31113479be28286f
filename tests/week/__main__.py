"""A small company's week in some twenty minutes: `make week`. Does the daemon grow, and does it lose anything?

The daemon's wall clock goes on in steps of ten minutes, each a second or so, in which its mails come: so all that is
done by the hour and by the day is done as often as in a week. Timeouts and pauses are true seconds. After each hour of
the clock it is looked at from outside.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests import servers
from tests.week import play, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.week", description=__doc__)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--steps", type=int, default=6, help="into which an hour is parted")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp"), help="where to work: on the disk that counts")
    parser.add_argument("--out", type=Path, help="a file for each look, as JSON lines")
    asked = parser.parse_args()
    if reason := servers.missing() or ("" if shutil.which("cc") else "there is no C compiler, for a clock of its own"):
        print(f"not played: {reason}")
        return 1
    with tempfile.TemporaryDirectory(prefix="mailgate-week-", dir=asked.work) as folder:
        played = play.week(Path(folder), asked.days, asked.steps, asked.out)
    print(table.written(played))
    for problem in played.problems:
        print(f"- {problem}")
    return int(bool(played.problems))


if __name__ == "__main__":
    sys.exit(main())
