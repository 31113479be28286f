"""The assertions of the story explain themselves as those of the tests do."""

import pytest

pytest.register_assert_rewrite("tests.year.story")
