"""The register's items of sweeps: what is known of each account, who sweeps it, and the runs.

They lie in the ledger's table; `docs/ledger.md` has their attributes.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from hub.ledger_schema import SCHEMA, Item, Key, Update, milliseconds, moment, reading, seconds
from hub.scans import CLOCK_SKEW, new_scan_id
from hub.sweeps import (
    AccountClaimed,
    AccountDone,
    AccountHeld,
    AccountNote,
    AccountOutcome,
    Named,
    RegionOutcome,
    ScopeNote,
    SweepCounts,
    SweepRun,
    SweepScope,
)
from spoke.errors import LeaseLost

ACCOUNTS = "accounts"
"""The partition of all accounts: one query reads them. Of one or two kilobytes each, a page has some 600."""

SWEEPS = "sweeps"
"""The partition of all runs: one query reads them, some 400 bytes each."""

RUN_KEPT = timedelta(days=90)
"""After it began."""

CLAIM = ("claimOwner", "claimRunId", "claimExpiresAt")

_OPEN = ("runId", "startedAt")
_NAMED = ("accounts", "ous", "regions", "exclude")
_COUNTED = ("accounts", "functions", "fresh", "waiting", "excluded", "gone", "outlived", "failed", "calls")


def account_key(account: str) -> Key:
    """Where an account's note is, and who sweeps it."""
    return Key(ACCOUNTS, account)


def known(now: datetime) -> Update:
    """The account is known, since now unless it was before."""
    return Update({"schema": SCHEMA}, initial={"firstSeenAt": milliseconds(now)})


def new_claim(account: str, run: SweepRun, *, owner: str, expires_at: datetime) -> AccountClaimed:
    """A claim whose end is what the register can hold: whole milliseconds."""
    return AccountClaimed(account=account, run=run, owner=owner, expires_at=moment(milliseconds(expires_at)))


def claimed(claim: AccountClaimed, now: datetime) -> Update:
    """The account is being swept. What the sweep before found stays."""
    values = {
        "schema": SCHEMA,
        "claimOwner": claim.owner,
        "claimRunId": claim.run.id,
        "claimExpiresAt": milliseconds(claim.expires_at),
    }
    return Update(values, initial={"firstSeenAt": milliseconds(now)})


def renewed(claim: AccountClaimed) -> Update:
    """The claim ends later."""
    return Update({"claimExpiresAt": milliseconds(claim.expires_at)})


def released() -> Update:
    """Nobody sweeps the account."""
    return Update(removed=CLAIM)


def completed(claim: AccountClaimed, outcome: AccountOutcome, now: datetime) -> Update:
    """The account was gone over to its end, and nobody sweeps it.

    `sweptAt` is not before the run's beginning, also where the two clocks differ: else nobody would take it as done.
    """
    return Update(
        {
            "schema": SCHEMA,
            "sweptAt": milliseconds(max(now, claim.run.started_at)),
            "sweepId": claim.run.id,
            "sweepScopeId": claim.run.scope_id,
            "sweepStartedAt": milliseconds(claim.run.started_at),
            "outcome": _outcome_map(outcome),
        },
        CLAIM,
    )


def claim_lost(claim: AccountClaimed) -> LeaseLost:
    """What a write that needs the claim answers when another has it."""
    return LeaseLost(f"account {claim.account} is not ours to sweep any more")


def refusal(item: Item, run: SweepRun, *, now: datetime) -> AccountDone | AccountHeld | None:
    """Why nobody may sweep the account for this run now; None if it is free.

    It is done if it was gone over since this run began, for this one or another of the same scope; or for a run of
    everything that began later than this one.

    Raises:
        Misconfigured: A newer version wrote the item, or it is broken.
    """
    with reading(item):
        if "outcome" in item and _is_done(item, run):
            return AccountDone(account=item["sk"], outcome=_outcome_from(item["outcome"]))
        if "claimOwner" in item and now < (free_at := moment(item["claimExpiresAt"]) + CLOCK_SKEW):
            return AccountHeld(account=item["sk"], until=free_at)
    return None


def account_from(item: Item) -> AccountNote:
    """What an item says of an account.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    with reading(item):
        return AccountNote(
            account=item["sk"],
            first_seen_at=moment(item["firstSeenAt"]),
            swept_at=moment(item["sweptAt"]) if "sweptAt" in item else None,
            sweep_id=item.get("sweepId"),
            sweep_scope_id=item.get("sweepScopeId"),
            outcome=_outcome_from(item["outcome"]) if "outcome" in item else None,
        )


def new_run(scope: SweepScope, now: datetime) -> SweepRun:
    """A run that begins now."""
    started_at = moment(milliseconds(now))
    return SweepRun(
        id=new_scan_id(now),
        scope_id=scope.id,
        whole_scope_id=scope.whole_id,
        started_at=started_at,
        scope=ScopeNote.of(scope),
    )


def open_key(scope_id: str) -> Key:
    """Where it stands which run of a scope is under way."""
    return Key("open-sweeps", scope_id)


def opened(run: SweepRun) -> Update:
    """This run of its scope is under way."""
    values = {"schema": SCHEMA, "runId": run.id, "startedAt": milliseconds(run.started_at)}
    return Update(values | {"expiresAt": seconds(run.started_at + RUN_KEPT)})


def closed() -> Update:
    """No run of the scope is under way."""
    return Update(removed=_OPEN)


def open_run_from(item: Item, scope: SweepScope) -> SweepRun | None:
    """The run of the scope that is under way, without its counts; None where there is none.

    Raises:
        Misconfigured: A newer version wrote the item, or it is broken.
    """
    with reading(item):
        if "runId" not in item:
            return None
        return SweepRun(
            id=item["runId"],
            scope_id=scope.id,
            whole_scope_id=scope.whole_id,
            started_at=moment(item["startedAt"]),
            scope=ScopeNote.of(scope),
        )


def run_key(run_id: str) -> Key:
    """Where a run is."""
    return Key(SWEEPS, run_id)


def noted(run: SweepRun, counts: SweepCounts, *, accounts: int, now: datetime) -> Update:
    """How far the run is."""
    return Update(_run_values(run) | {"accounts": accounts, "counts": _counts_map(counts), "at": milliseconds(now)})


def begun(run: SweepRun) -> Update:
    """The run is there."""
    return Update(_run_values(run))


def finished(run: SweepRun, counts: SweepCounts, *, accounts: int, now: datetime) -> Update:
    """The run is done, since now unless it was before."""
    last = noted(run, counts, accounts=accounts, now=now)
    return Update(last.values, initial={"finishedAt": milliseconds(now)})


def run_from(item: Item) -> SweepRun:
    """What an item says of a run.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    with reading(item):
        return SweepRun(
            id=item["sk"],
            scope_id=item["scopeId"],
            whole_scope_id=item.get("wholeScopeId", ""),
            started_at=moment(item["startedAt"]),
            finished_at=moment(item["finishedAt"]) if "finishedAt" in item else None,
            accounts=int(item.get("accounts", 0)),
            counts=_counts_from(item["counts"]) if "counts" in item else SweepCounts(),
            at=moment(item["at"]) if "at" in item else None,
            scope=_scope_from(item["scope"]) if "scope" in item else None,
        )


def _is_done(item: Item, run: SweepRun) -> bool:
    started_at = milliseconds(run.started_at)
    if item["sweepScopeId"] == run.scope_id and item["sweptAt"] >= started_at:
        return True
    return bool(item["sweepScopeId"] == run.whole_scope_id and item["sweepStartedAt"] >= started_at)


def _run_values(run: SweepRun) -> dict[str, Any]:
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "scopeId": run.scope_id,
        "wholeScopeId": run.whole_scope_id,
        "startedAt": milliseconds(run.started_at),
        "expiresAt": seconds(run.started_at + RUN_KEPT),
    }
    if run.scope is not None:
        values["scope"] = _scope_map(run.scope)
    return values


def _scope_map(scope: ScopeNote) -> dict[str, Any]:
    named: dict[str, Named] = {kind: getattr(scope, kind) for kind in _NAMED}
    return {kind: {"number": one.number, "first": list(one.first)} for kind, one in named.items() if one.number}


def _scope_from(values: Mapping[str, Any]) -> ScopeNote:
    named = {kind: values[kind] for kind in _NAMED if kind in values}
    return ScopeNote(
        **{kind: Named(number=int(one["number"]), first=tuple(one["first"])) for kind, one in named.items()}
    )


def _counts_map(counts: SweepCounts) -> dict[str, Any]:
    return {name: getattr(counts, name) for name in _COUNTED} | {"queued": dict(counts.queued)}


def _counts_from(values: Mapping[str, Any]) -> SweepCounts:
    queued = {reason: int(number) for reason, number in sorted(values["queued"].items())}
    # What was written before something was counted has no number of it.
    return SweepCounts(queued=queued, **{name: int(values.get(name, 0)) for name in _COUNTED})


def _outcome_map(outcome: AccountOutcome) -> dict[str, Any]:
    regions = {region: {"functions": one.functions, "problem": one.problem} for region, one in outcome.regions.items()}
    return {"regions": regions, "problem": outcome.problem, "counts": _counts_map(outcome.counts)}


def _outcome_from(values: Mapping[str, Any]) -> AccountOutcome:
    regions = {
        region: RegionOutcome(functions=int(one["functions"]), problem=one["problem"])
        for region, one in sorted(values["regions"].items())
    }
    return AccountOutcome(regions=regions, problem=values["problem"], counts=_counts_from(values["counts"]))
