"""What goes wrong in a plan: for many at once, for one worker or message, by chance; and when sweeps run."""

from dataclasses import replace
from random import Random

from tests.simulation.draft import Draft
from tests.simulation.plan import ACCOUNTS, REGIONS, Rates, Sending, Trouble

SHUT = 0.7
"""Share of the plans with sweeps, but for the calm ones, in which something cannot be listed while results grow old."""

AMID_WORK = 0.4
"""Share of the plans, but for calm ones and storms, in which somebody pauses the service soon after a message came."""

FAILED = 0.5
"""Share of the functions without a result of which the last try has failed, in plans with sweeps."""


def weather(draft: Draft) -> None:
    """What concerns many at once, for a while."""
    rng = draft.rng
    if draft.has("qualys", 0.15):
        kind = rng.choice(("qualys", "token"))
        draft.trouble(rng.uniform(0, 600), Trouble(kind=kind, seconds=rng.uniform(300, 4200)))
    if draft.has("accounts", 0.2):
        for _ in range(rng.randint(1, 2)):
            kind = rng.choice(("deny", "throttle"))
            target = ACCOUNTS.index(rng.choice(draft.functions).arn.account)
            draft.trouble(rng.uniform(0, draft.span), Trouble(kind=kind, target=target, seconds=rng.uniform(60, 3000)))
    if draft.has("network", 0.2):
        for kind in ("ledger", "objects", "notifier", "queue"):
            if rng.random() < 0.25:
                draft.trouble(rng.uniform(0, draft.span), Trouble(kind=kind, seconds=rng.uniform(5, 500)))


def accidents(draft: Draft) -> None:
    """What befalls one worker, or one message."""
    rng = draft.rng

    def some(kind: str, most: int, longest: float, *, shortest: float = 0.0, variants: int = 1) -> None:
        for _ in range(rng.randint(1, most)):
            draft.trouble(
                rng.uniform(0, draft.span),
                Trouble(
                    kind=kind,
                    target=rng.randrange(draft.workers),
                    seconds=rng.uniform(shortest, longest),
                    variant=rng.randrange(variants),
                ),
            )

    if draft.has("deaths", 0.3):
        some("kill", 4, 0.0, variants=60)
    if draft.has("stops", 0.3):
        some("stop", 4, 0.0, variants=4)
    if draft.has("stalls", 0.25):
        some("stall", 3, 1500.0, shortest=1.0)
    if draft.has("network", 0.2):
        some("cut", 2, 900.0, shortest=1.0)
    if draft.theme != "calm" and rng.random() < 0.3:
        some("redeliver", 4, 0.0)
    if draft.theme != "calm" and rng.random() < 0.2:
        some("undelete", 3, 0.0)


def sweeps(draft: Draft) -> None:
    """Sweeps now and then, and somebody who pauses the service."""
    rng = draft.rng
    for _ in range(rng.choice((0, 1, 1, 2, 3)) if draft.is_swept else 0):
        is_killed = draft.theme != "calm" and rng.random() < 0.35
        draft.trouble(
            rng.uniform(0, draft.span),
            Trouble(
                kind="sweep",
                seconds=rng.choice((rng.uniform(0.01, 1.0), rng.uniform(0.5, 20))) if is_killed else 0.0,
                variant=rng.choice((1, 1, 2)),
            ),
        )
    if draft.theme not in {"calm", "storm"} and rng.random() < 0.15:
        draft.trouble(rng.uniform(0, draft.span), Trouble(kind="pause", seconds=rng.uniform(5, 1500)))


def pauses_amid_work(draft: Draft, rng: Random) -> None:
    """A pause soon after something was sent: the more likely that it waits for a slot when the pause is heard of.

    Args:
        draft: The plan.
        rng: Of this alone: the other plans stay as they are.
    """
    if rng.random() >= AMID_WORK:
        return
    sent = sorted(second for second, one in draft.happenings if isinstance(one, Sending) and second < draft.span)
    if sent:
        at = rng.choice(sent) + rng.uniform(0, 30)
        draft.trouble(at, Trouble(kind="pause", seconds=rng.uniform(20, 300)))


def shut(draft: Draft, rng: Random) -> None:
    """An account, or one region of it, that no sweep can list for long, while results of its functions grow old.

    Args:
        draft: The plan.
        rng: Of this alone: the other plans stay as they are.
    """
    if rng.random() >= SHUT:
        return
    place = rng.choice(draft.functions).arn
    is_region = rng.random() < 0.6
    inside = [
        index
        for index, one in enumerate(draft.functions)
        if one.arn.account == place.account and (one.arn.region == place.region or not is_region)
    ]
    for index in inside:
        if draft.functions[index].exists and rng.random() < 0.9:
            draft.functions[index] = replace(draft.functions[index], ledger=rng.choice(("ageing", "old")))
    start, seconds = rng.uniform(0, draft.span / 2), rng.uniform(900, 3000)
    draft.trouble(
        start,
        Trouble(
            kind="unlist" if is_region else "deny",
            target=ACCOUNTS.index(place.account),
            seconds=seconds,
            variant=REGIONS.index(place.region),
        ),
    )
    draft.held_up = rng.choice((0.0, 0.8))
    # The last one finds all open again.
    for second in (*(start + rng.uniform(0, seconds) for _ in range(rng.randint(1, 3))), start + seconds + 30):
        draft.trouble(second, Trouble(kind="sweep", variant=1))
        for index in inside:
            # Scans that end while the sweep looks: where the list alone is refused, results are renewed all the same.
            if rng.random() < 0.7:
                asked = max(0.0, second + rng.uniform(-30, 10))
                draft.add(asked, Sending(kind="request", function=index, about=asked))


def failures(draft: Draft, rng: Random) -> None:
    """Functions that were tried in vain before: where nothing changes, only a sweep comes back to them.

    Args:
        draft: The plan.
        rng: Of this alone: the other plans stay as they are.
    """
    for index, function in enumerate(draft.functions):
        if not function.ledger and rng.random() < FAILED:
            draft.functions[index] = replace(function, ledger="failed")


def rates(draft: Draft) -> Rates:
    """What goes wrong by chance."""
    rng = draft.rng
    if draft.theme in {"calm", "storm", "crowd"}:
        return Rates()
    network = draft.has("network", 0.35)

    def share(most: float) -> float:
        return rng.choice((0.0, most / 5, most)) if network else 0.0

    return Rates(
        slow=share(0.1),
        throttled=share(0.05),
        request_lost=share(0.05),
        answer_lost=share(0.08),
        partial_batch=share(0.1),
        early_empty=share(0.1),
        killed=0.004 if draft.has("deaths", 0.2) else 0.0,
        redelivered=0.02 if draft.has("network", 0.2) else 0.0,
        scan_fails=rng.choice((0.0, 0.1, 0.3)) if draft.theme != "qualys" else 0.0,
        late_end=rng.choice((0.0, 0.3)),
    )
