"""The stand-in `qscanner`: follows the scanner's contract, reads the real package, knows a small dated advisory list.

It is for trying out and testing. It is not the licensed scanner, sends nothing to Qualys, and says so wherever it
speaks.
"""

NAME = "qscanner (stand-in)"
VERSION = "4.8.0-standin"
NOTICE = (
    "Written by scanhub's stand-in for qscanner, not by the licensed scanner: "
    "a small dated advisory list, QIDs of its own, nothing sent to Qualys."
)
