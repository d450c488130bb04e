"""The estate that the sweep's figures are taken on: accounts x regions x functions, made on the way and never stored.

A page of functions, an item of the ledger and an entry of its index are each made once as the service would write
them, with marks where two functions differ; what is answered is that text with the marks filled in. So the stand-in can
give a million functions, and costs little beside what is measured.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import organization
from bench.scanner import PROFILE
from hub.coverage import Coverage, CoverageState
from hub.ledger_items import recorded, state_item_key
from hub.ledger_wire import wire_item
from hub.scans import ScanStatus, ScanSummary, Severity, new_scan_id, results_prefix
from spoke.arn import FunctionArn
from spoke.snapshot import fingerprint

REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")

PAGE = 50
"""Functions of one page of ListFunctions (Lambda's API reference)."""

INDEX_PAGE = 4600
"""Entries of one page of a Query, 1 MB: an entry of the index by account has some 200 bytes (`docs/ledger.md`)."""

_ARN = "arn:aws:lambda:eu-central-1:100000000000:function:a-mark"
_DIGEST = "=mark="
_FINGERPRINT = "f" * 64


@dataclass(frozen=True, slots=True)
class Estate:
    """Every account has the same regions, every region the same functions, as many in each.

    Attributes:
        accounts: How many.
        regions: In each.
        functions: In each region of each account.
        known: Whether the ledger has a fresh result of each; else it has never heard of them.
    """

    accounts: int
    regions: int
    functions: int
    known: bool = True

    @property
    def total(self) -> int:
        """Functions in all."""
        return self.accounts * self.regions * self.functions

    @property
    def account_ids(self) -> Sequence[str]:
        """Twelve digits each."""
        return [f"2100000{number:05d}" for number in range(self.accounts)]

    @property
    def region_names(self) -> Sequence[str]:
        """Those that every account has enabled."""
        return REGIONS[: self.regions]

    def place(self, account: str, region: str) -> Iterator[FunctionArn]:
        """The functions of one account and region."""
        for number in range(self.functions):
            yield FunctionArn("aws", region, account, f"orders-service-{number:05d}")


class Answers:
    """What Lambda and DynamoDB say of an estate, as the JSON that they send.

    Args:
        estate: Of which they speak.
    """

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._entry = _compact(_listed())
        self._item = _known()
        self._projections: dict[str, str] = {}
        self._pages: dict[tuple[str, str, str], bytes] = {}

    def page(self, account: str, region: str, marker: str) -> bytes:
        """ListFunctions: a page, and the next one's marker where there is one."""
        key = (account, region, marker)
        if key not in self._pages:
            # Kept: what a page costs here must not stand between the figures of two rounds.
            self._pages[key] = self.made_page(account, region, marker)
        return self._pages[key]

    def made_page(self, account: str, region: str, marker: str) -> bytes:
        """The same, and not kept."""
        start = int(marker or "0")
        ended = min(start + PAGE, self.estate.functions)
        names = [f"orders-service-{number:05d}" for number in range(start, ended)]
        entries = [_filled(self._entry, f"arn:aws:lambda:{region}:{account}:function:{name}") for name in names]
        more = f',"NextMarker":"{ended}"' if ended < self.estate.functions else ""
        return f'{{"Functions":[{",".join(entries)}]{more}}}'.encode()

    def items(self, keys: Iterable[dict[str, Any]], request: dict[str, Any]) -> list[str]:
        """BatchGetItem: the coverage of each function of the estate that is asked for, as far as it is projected."""
        if not self.estate.known:
            return []
        text = self._projected(request)
        arns = [key["pk"]["S"].removeprefix("function#") for key in keys if key["sk"]["S"] == "state"]
        return [_filled(text, arn) for arn in arns]

    def entries(self, accounts: Sequence[str], request: dict[str, Any]) -> tuple[list[str], str | None]:
        """Query or Scan of the index by account: one page of entries, and the place of the last if there are more.

        Args:
            accounts: Whose entries.
            request: Says what is projected, and where the page begins.
        """
        if not self.estate.known:
            return [], None
        text = self._projected(request)
        each = self.estate.regions * self.estate.functions
        begun = int(request.get("ExclusiveStartKey", {}).get("place", {}).get("S", "-1")) + 1
        ended = min(begun + INDEX_PAGE, len(accounts) * each)
        found = []
        for number in range(begun, ended):
            region, at = divmod(number % each, self.estate.functions)
            name = f"orders-service-{at:05d}"
            found.append(_filled(text, f"arn:aws:lambda:{REGIONS[region]}:{accounts[number // each]}:function:{name}"))
        return found, str(ended - 1) if ended < len(accounts) * each else None

    def _projected(self, request: dict[str, Any]) -> str:
        """The marked item with the attributes that the request's projection names."""
        expression = request["ProjectionExpression"]
        if expression not in self._projections:
            names = request["ExpressionAttributeNames"]
            wanted = {names[word] for word in expression.split(", ")}
            self._projections[expression] = _compact(
                {name: value for name, value in self._item.items() if name in wanted}
            )
        return self._projections[expression]


def _listed() -> dict[str, Any]:
    """A function as a list shows it: what GetFunction says of its configuration, with its environment."""
    entry: dict[str, Any] = organization.described(_ARN)["Configuration"]
    entry["Environment"] = {"Variables": {"LOG_LEVEL": "INFO", "TABLE": "orders", "POWERTOOLS_SERVICE_NAME": "orders"}}
    return entry | {"CodeSha256": _DIGEST}


def _known() -> dict[str, Any]:
    """The ledger's item of a function whose result is fresh, in DynamoDB's form."""
    now = datetime.now(UTC)
    arn = FunctionArn.parse(_ARN)
    scan_id = new_scan_id(now)
    summary = ScanSummary(
        scan_id=scan_id,
        status=ScanStatus.SUCCESS,
        manifest_key=f"{results_prefix(arn, scan_id)}manifest.json",
        completed_at=now,
        fresh_until=now + timedelta(days=30),
        severities=dict.fromkeys(Severity, 2),
        packages=40,
        scan_tag="1763633472",
        profile_id=PROFILE.id,
    )
    coverage = Coverage(
        function=arn,
        state=CoverageState.COVERED,
        at=now,
        reason="",
        as_of=now,
        fingerprint=_FINGERPRINT,
        last_good=summary,
        runtime="python3.13",
    )
    key = state_item_key(arn)
    return wire_item(recorded(coverage).applied_to({"pk": key.pk, "sk": key.sk}))


def _filled(text: str, arn: str) -> str:
    _, _, _, region, account, _, name = arn.split(":")
    marks = {_ARN: arn, "100000000000": account, "eu-central-1#a-mark": f"{region}#{name}", "a-mark": name}
    for mark, value in marks.items():
        text = text.replace(mark, value)
    if _DIGEST in text:
        return text.replace(_DIGEST, organization.code_sha256(arn))
    if _FINGERPRINT in text:
        return text.replace(_FINGERPRINT, fingerprint(organization.code_sha256(arn), organization.LAYERS))
    return text


def _compact(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
