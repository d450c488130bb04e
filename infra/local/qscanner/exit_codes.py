"""How the stand-in ends: the contract's exit codes, as far as it can reach them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the scanner.

    The contract says of 5, 7, 8 and 9 only that the artifact could not be read; which of them means what is this
    stand-in's own choice.
    """

    DONE = 0
    GENERIC = 1
    INVALID_PARAMETER = 2
    NOT_AN_ARCHIVE = 5
    ARTIFACT_FAILED = 6
    DAMAGED = 7
    UNSUPPORTED = 8
    OVER_LIMIT = 9
    FUNCTION_FAILED = 10
    RESULT_UNWRITABLE = 30
    POLICY_DENY = 42
    POLICY_AUDIT = 43


class ScanFailed(Exception):
    """The scan ends with this exit code and this one line on stderr."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
