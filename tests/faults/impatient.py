"""`python -m tests.faults.impatient` is `mailgate` that waits for servers for seconds, not minutes.

Long enough for a server that is well on a machine that is busy.
"""

from __future__ import annotations

import sys

from imapclient import SocketTimeout

from mailgate import app
from mailgate.cli import main
from mailgate.edges import imap, outbound

imap._TIMEOUT = SocketTimeout(connect=1, read=1)
imap._LONGEST_PAUSE = 1
outbound._CONNECT_SECONDS = 1
outbound._COMMAND_SECONDS = 1
outbound._TOTAL_SECONDS = 4
app._SENDING_SECONDS = 5

if __name__ == "__main__":
    sys.exit(main())
