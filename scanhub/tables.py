"""Coverage and findings as a person reads them."""

from collections.abc import Collection, Iterable

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import measure_renderables
from rich.table import Table
from rich.text import Text

from hub.coverage import Coverage, CoverageState
from hub.dead_letters.message import printable
from hub.findings import Finding
from hub.scans import ScanStatus, ScanSummary, Severity
from spoke.arn import FunctionArn

STATE_STYLES = {
    CoverageState.COVERED: "green",
    CoverageState.PARTIAL: "yellow",
    CoverageState.STALE: "yellow",
    CoverageState.FAILED: "red",
    CoverageState.NO_ACCESS: "red",
    CoverageState.UNREADABLE: "red",
    CoverageState.SCANNING: "cyan",
    CoverageState.PENDING: "cyan",
}
SEVERITY_STYLES = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan"}


FOLDED_LEAST = 20
"""Characters that a folded column keeps on the narrowest terminal: less could not be read."""

_UNBOUNDED = 100_000
_GAP = 2
"""Spaces between two columns: rich puts one at each side of a cell."""


class UncutTable(Table):
    """Where the terminal is narrower than the columns that stay in one piece, it is wider than the terminal.

    rich would shorten these columns, and leave out folded ones; see `scanhub.terminal.UncutConsole`.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As of any table, at least as wide as it has to be."""
        unbounded = options.update(width=_UNBOUNDED)
        for column in self.columns:
            natural = measure_renderables(console, unbounded, [column.header, *column.cells]).maximum
            column.min_width = natural if column.no_wrap else min(natural, FOLDED_LEAST)
        least = sum(column.min_width or 0 for column in self.columns) + _GAP * (len(self.columns) - 1)
        yield from super().__rich_console__(console, options.update(width=max(options.max_width, least)))


def new_table(*headings: str, folded: Iterable[str] = (), numbers: Collection[str] = ()) -> Table:
    """A plain table; names and states stay in one piece, what is `folded` gives way on a narrow terminal.

    Args:
        headings: Of the columns, from the left.
        folded: Those of the columns that come after them.
        numbers: Those among `headings` whose cells stand to the right.
    """
    table = UncutTable(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True, justify="right" if heading in numbers else "left")
    for heading in folded:
        table.add_column(heading, overflow="fold")
    return table


def problem_lines(problems: Iterable[tuple[str, str]]) -> list[str]:
    """One line a problem, with the regions that it is about.

    Args:
        problems: Region and text; the empty region is the whole account.
    """
    regions: dict[str, list[str]] = {}
    for region, text in sorted(problems):
        regions.setdefault(printable(text), []).append(region)
    return [f"{', '.join(where)}: {text}" if any(where) else text for text, where in regions.items()]


def function_name(function: FunctionArn) -> str:
    """Its name, and the version where it is one."""
    return f"{function.name}:{function.qualifier}" if function.qualifier else function.name


def state(coverage: Coverage) -> Text:
    """The state in its colour."""
    return Text(coverage.state.value, style=STATE_STYLES.get(coverage.state, "dim"))


def counts(summary: ScanSummary | None) -> Text:
    """What a result found, worst first: `2 critical, 1 high, 1 secret`."""
    if summary is None:
        return Text("-", style="dim")
    parts = [
        Text(f"{summary.severities[severity]} {severity.value}", style=SEVERITY_STYLES.get(severity, ""))
        for severity in reversed(Severity)
        if summary.severities.get(severity)
    ]
    if summary.secrets:
        parts.append(Text(f"{summary.secrets} secret{'s' if summary.secrets > 1 else ''}", style="bold red"))
    if parts:
        return Text(", ").join(parts)
    if summary.status is not ScanStatus.SUCCESS:
        # Nothing was found, which is not the same as: nothing is there.
        return Text(f"unknown: {', '.join(summary.reasons)}", style="yellow")
    return Text("nothing", style="green")


def coverage_table(coverages: Iterable[Coverage]) -> Table:
    """One row a function."""
    table = new_table("ACCOUNT", "REGION", "FUNCTION", "STATE", folded=("FOUND", "REASON"))
    for coverage in coverages:
        function = coverage.function
        table.add_row(
            function.account,
            function.region,
            Text(function_name(function)),
            state(coverage),
            counts(coverage.last_good),
            Text(coverage.reason),
        )
    return table


def findings_table(findings: Iterable[Finding]) -> Table:
    """One row a finding."""
    table = new_table("SEVERITY", "FINDING", folded=("WHERE", "INSTALLED", "FIXED IN", "TITLE"))
    for finding in findings:
        package = finding.package
        table.add_row(
            Text(finding.severity.value, style=SEVERITY_STYLES.get(finding.severity, "")),
            Text(", ".join(finding.cves) or finding.rule_id or ""),
            Text(package.name if package is not None else f"{finding.path}:{finding.start_line or '?'}"),
            Text((package.installed_version if package is not None else None) or ""),
            Text((package.fixed_version if package is not None else None) or ""),
            Text(finding.title),
        )
    return table
