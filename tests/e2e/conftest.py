"""What the end-to-end tests share."""

import pytest

# Tests of the commands stand beside the file that collects them; a failed `assert` is to show its values there too.
pytest.register_assert_rewrite("tests.e2e.commands")
