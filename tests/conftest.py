"""What holds for all tests."""

from hypothesis import settings

from mailgate.store import Store, connection
from mailgate.store.connection import Connection
from tests import plans, ready

# No test fails for the time that an example takes: the machine may be busy with something else.
settings.register_profile("thorough", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("thorough")

_seen: set[str] = set()
for _name in ("rows", "value", "run"):
    setattr(Connection, _name, plans.watched(getattr(Connection, _name), _seen))
# Nor does any wait for the disk: no test cuts the power of its own process. Daemons of a test are processes that sync.
connection._PRAGMAS = ready.UNSYNCED
Store.__init__ = ready.made_once(Store.__init__)  # type: ignore[method-assign]
