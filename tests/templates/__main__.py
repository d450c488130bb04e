"""`make lint`: no finding that is not explained where it stands."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.templates import checkov, guard, suppressions
from tests.templates.documents import document
from tests.templates.findings import Suppression, Verdict, judge

INFRA = Path(__file__).parents[2] / "infra"


def main() -> int:
    """Print one line a tool, or its complaints; the number of tools that complain."""
    templates = sorted(INFRA.glob("*.yaml"))
    written = [one for path in templates for one in suppressions.read(path)]
    # Each waits for a process of its own, and checkov takes most of the time.
    with ThreadPoolExecutor() as pool:
        checked = pool.submit(_checkov, [one for one in written if one.place.tool == "checkov"])
        guarded = pool.submit(_guard, templates, [one for one in written if one.place.tool == "cfn-guard"])
        return sum(_told(name, verdict.result()) for name, verdict in (("checkov", checked), ("cfn-guard", guarded)))


def _checkov(written: list[Suppression]) -> Verdict:
    findings, suppressed = checkov.run(INFRA, ("cloudformation", "terraform"))
    # What stands in a template and was not taken is stale; checkov itself says nothing of it.
    return judge(findings, [*written, *suppressed])


def _guard(templates: list[Path], written: list[Suppression]) -> Verdict:
    return judge(guard.evaluate({path.name: document(path.name) for path in templates}), written)


def _told(name: str, verdict: Verdict) -> bool:
    for complaint in verdict.complaints:
        print(complaint)  # noqa: T201  # a linter's report
    if not verdict.complaints:
        print(f"{name}: clean ({verdict.suppressed} explained where they stand)")  # noqa: T201  # a linter's report
    return bool(verdict.complaints)


sys.exit(main())
