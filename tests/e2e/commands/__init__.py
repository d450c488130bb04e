"""What each command does in a town: collected by `tests/e2e/test_commands.py`, which builds one town for them all."""
