"""The command line's run: what is wrong with its words is told in one line, like every other mistake of a user's."""

import sys

import typer

NAME = "scanhub"
"""However it was called: `python -m scanhub` too."""

_WRONG: type[Exception] = next(one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException")
"""What typer raises of a command line that it cannot read. It is click's, or of typer's own copy of click, which has no
public name."""

_HELP_WAS_SHOWN = "NoArgsIsHelpError"


def run(app: typer.Typer) -> None:
    """Run what `sys.argv` asks for; typer alone would draw a box of five lines around a mistake.

    Raises:
        SystemExit: It did not end with 0.
    """
    try:
        code = app(prog_name=NAME, standalone_mode=False)
    except _WRONG as error:
        if type(error).__name__ != _HELP_WAS_SHOWN:
            sys.stderr.write(f"{_told(error)}\n")
        code = getattr(error, "exit_code", 1)
    except typer.Abort:
        sys.stderr.write(f"{NAME}: aborted\n")
        code = 1
    # No command returns anything: a number is what it has ended with.
    if isinstance(code, int) and code:
        sys.exit(code)


def _told(error: BaseException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else NAME
    message = " ".join(getattr(error, "format_message", error.__str__)().split())
    words = (message[:1].lower() + message[1:]).rstrip(".")
    return f"{path}: {words}{' See' if words.endswith('?') else ': see'} {path} --help"
