"""What `scanhub scan --json` prints; names in camelCase, times in ISO 8601 (UTC)."""

from typing import Any

from hub.scan_outcome import Outcome
from scanhub.documents import SCHEMA_VERSION, coverage_document


def scan_document(outcome: Outcome) -> dict[str, Any]:
    """What came of the scans asked for; `functions` and `unsettled` are filled with `--wait` alone."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "asked": [str(one) for one in outcome.asked],
        "notAsked": [str(one) for one in outcome.left],
        "problems": list(outcome.problems),
        "functions": [coverage_document(coverage) for coverage in outcome.settled],
        "unsettled": [str(one) for one in outcome.unsettled],
    }
