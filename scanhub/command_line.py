"""The whole command line."""

from scanhub.commands import COMMANDS, build

app = build(COMMANDS)
