"""Who is in a plan, what becomes of each, and the messages that tell of it."""

from spoke.arn import FunctionArn
from tests.simulation.draft import Draft
from tests.simulation.plan import ACCOUNTS, REGIONS, Change, FunctionPlan, Sending

LAYER = "arn:aws:lambda:{region}:{account}:layer:shared:{number}"

HARMFUL = (("", 0.21), ("crash", 0.25), ("kill", 0.27), ("fault", 0.29))
"""What the scanner makes of a function each time, each up to a share; the rest are sound."""

LOST = {"calm": 0.0, "silence": 1.0, "halves": 0.5}
"""Share of events that never arrive, where it is not the usual one."""

MANY = 70
"""Requests of a storm: enough to show whether GetFunction is asked without measure."""


def functions(draft: Draft) -> None:
    """The accounts, and the functions of each."""
    rng = draft.rng
    accounts = ACCOUNTS[: rng.choice((1, 2, 3)) if draft.theme != "storm" else 1]
    # Of more than ten a sweep sends some later: much may happen between its look and its word.
    counts = {"crowd": rng.randint(8, 16), "accounts": rng.randint(6, 14), "storm": 6, "halves": rng.randint(6, 20)}
    count = counts.get(draft.theme, rng.randint(1, 8))
    # A crowd of one account shows whether it leaves room to the others.
    favourite = rng.choice(accounts)
    odd = draft.theme in {"everything", "crowd", "deaths"}
    for number in range(count):
        account = favourite if rng.random() < 0.6 else rng.choice(accounts)
        region = REGIONS[0] if rng.random() < 0.8 or draft.theme == "storm" else REGIONS[1]
        kind = rng.random() if odd else 1.0
        arn = FunctionArn("aws", region, account, f"{'scratch' if 0.05 < kind < 0.1 else 'orders'}-{number}")
        draft.functions.append(
            FunctionPlan(
                arn=arn,
                layers=tuple(
                    LAYER.format(region=region, account=account, number=one)
                    for one in range(rng.choice((0, 0, 0, 1, 2)))
                ),
                is_image=rng.random() < 0.2,
                excluded_by_tag=0.1 < kind < 0.15,
                unreadable=0.15 < kind < 0.18,
                never_ready=0.18 < kind < 0.21,
                scan=next((scan for scan, most in HARMFUL if kind < most), ""),
                ledger="fresh" if draft.theme == "storm" else rng.choice(("", "", "", "fresh", "old")),
                exists=draft.theme == "storm" or rng.random() < 0.75,
            )
        )


def life(draft: Draft, index: int) -> None:
    """What happens to one function, and the events that tell of it."""
    rng, function = draft.rng, draft.functions[index]
    if draft.theme == "storm":
        return
    exists, number, second = function.exists, 0, rng.uniform(0, draft.span / 2)
    label = f"{function.arn.name}-0"
    older: list[str] = [label, label]
    # A function that is deployed again and again, faster than it can be scanned.
    busy = draft.theme == "changes" and rng.random() < 0.4
    for _ in range(rng.randint(6, 12) if busy else rng.randint(1, 2)):
        if not exists:
            call, number = "create", number + 1
            label, exists = f"{function.arn.name}-{number}", True
        else:
            call = rng.choices(("update", "config", "delete"), (7, 2, 1.5))[0]
            if call == "update":
                number += 1
                # A roll-back brings content that was there before.
                is_back = rng.random() < (0.5 if busy else 0.15)
                label = rng.choice(older[-2:-1] if busy else older) if is_back else f"{function.arn.name}-{number}"
            elif call == "delete":
                exists = False
        older.append(label)
        pending = rng.uniform(1, 90) if rng.random() < 0.2 else 0.0
        draft.add(second, Change(function=index, call=call, label=label if exists else None, pending=pending))
        if not busy or not exists or rng.random() < 0.4:
            _told(draft, second, index, call)
        # Close together often enough that a scan is under way when the next one comes.
        gaps = (rng.uniform(0.5, 20), rng.uniform(20, 200), rng.uniform(0, draft.span))
        second += rng.uniform(10, 90) if busy else rng.choice(gaps)
    draft.calm_from = max(draft.calm_from, second)


def _told(draft: Draft, second: float, index: int, call: str) -> None:
    rng = draft.rng
    if rng.random() < LOST.get(draft.theme, 0.06):
        return  # lost: delivery by CloudTrail is best effort
    for _ in range(1 + (rng.random() < 0.15) + (rng.random() < 0.05)):
        late = rng.uniform(60, 1500) if rng.random() < 0.12 else rng.uniform(0.3, 8)
        draft.add(second + late, Sending(kind="event", function=index, call=call, about=second))


def requests(draft: Draft) -> None:
    """Scans that somebody, or a sweep, asks for."""
    rng = draft.rng
    if draft.theme == "silence":
        return
    count = len(draft.functions)
    for _ in range(MANY if draft.theme == "storm" else rng.choice((0, 1, 1, 2, 4))):
        second = rng.uniform(10, 14) if draft.theme == "storm" else rng.uniform(0, draft.span)
        force = draft.theme != "storm" and rng.random() < 0.4
        draft.add(second, Sending(kind="request", function=rng.randrange(count), about=second, force=force))
    if draft.sweeps:
        second = rng.uniform(0, draft.span)
        for index in range(count):
            if rng.random() < 0.7:
                draft.add(second, Sending(kind="request", function=index, about=second, queue="sweep"))


def oddities(draft: Draft) -> None:
    """Messages that ask for nothing, or that nobody can read."""
    rng = draft.rng
    for kind in ("malformed", "mismatch", "failed call", "tagging"):
        if rng.random() < 0.15:
            second = rng.uniform(0, draft.span)
            index = rng.randrange(len(draft.functions))
            draft.add(second, Sending(kind=kind, function=index, about=second, variant=rng.randrange(5)))
