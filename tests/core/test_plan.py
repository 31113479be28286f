"""How a plan grows."""

import pytest

from mailgate.core.mail import Mail
from mailgate.core.plan import Plan


def test_changes_make_a_new_plan_and_leave_the_old_one() -> None:
    before = Plan(Mail("one@acme.example", "d", None))
    after = before.but("a step", text="Hola").but(internal=True)
    assert (after.text, after.internal, after.why, after.mail) == ("Hola", True, ("a step",), before.mail)
    assert before == Plan(before.mail)


def test_a_plan_has_no_other_fields() -> None:
    with pytest.raises(TypeError, match="txt"):
        Plan(Mail("one@acme.example", "d", None)).but(txt="Hola")
