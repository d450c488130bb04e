"""`make iam`: write `docs/iam.md`; with `--print`, to stdout instead."""

import sys

from infra.permissions.document import DOCUMENT, Incomplete, rendered


def main(arguments: list[str]) -> int:
    """The exit code: 1 where the document cannot be made, with a line for each reason."""
    try:
        document = rendered()
    except Incomplete as misfits:
        sys.stderr.write(f"docs/iam.md cannot be made:\n{misfits}\n")
        return 1
    if arguments == ["--print"]:
        sys.stdout.write(document)
    else:
        DOCUMENT.write_text(document, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
