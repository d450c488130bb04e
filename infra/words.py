"""AWS's words, made fit for a line of ours."""


def one_line(text: object) -> str:
    """The text in one line, safe to print.

    Names and reasons come from other accounts: a sequence that steers a terminal must not get through, nor one that
    turns the direction of what follows.

    Args:
        text: None and empty texts are an empty line.

    Returns:
        White space in one piece; a `?` in the place of each character that cannot be printed.
    """
    line = " ".join(str(text or "").split())
    return "".join(character if character.isprintable() else "?" for character in line)
