"""The plan of a seed."""

from dataclasses import replace
from random import Random

from tests.simulation import misfortunes, people
from tests.simulation.draft import Draft
from tests.simulation.plan import ACCOUNTS, Plan

SWEPT = 0.3
"""Share of the other plans in which sweeps run."""

THEMES = (
    ("calm", 6),
    ("storm", 2),
    ("crowd", 8),
    ("network", 16),
    ("deaths", 14),
    ("stops", 10),
    ("stalls", 8),
    ("qualys", 10),
    ("accounts", 8),
    ("changes", 8),
    ("silence", 6),
    ("halves", 10),
    ("everything", 18),
)
"""Each with its weight. A theme decides which families of faults there are."""


def plan(seed: int) -> Plan:
    """The plan of a seed; the same one each time."""
    rng = Random(f"plan {seed}")  # noqa: S311  # repeatable on purpose
    theme = rng.choices([name for name, _ in THEMES], [weight for _, weight in THEMES])[0]
    slots = rng.choice((1, 2, 2, 3, 4, 6)) if theme != "storm" else 6
    span, sweeps = rng.uniform(300, 2400), rng.random() < 0.4
    draft = Draft(rng, theme, span=span, sweeps=sweeps, workers=rng.choice((1, 2, 2, 3, 4)))
    if theme == "storm":
        draft.workers = 1
    draft.calm_from = draft.span
    draft.is_swept = theme in {"silence", "halves"} or (theme != "storm" and rng.random() < SWEPT)
    draft.sweeps |= draft.is_swept
    people.functions(draft)
    for index in range(len(draft.functions)):
        people.life(draft, index)
    people.requests(draft)
    people.oddities(draft)
    misfortunes.weather(draft)
    misfortunes.accidents(draft)
    misfortunes.sweeps(draft)
    if draft.is_swept and theme != "calm":
        misfortunes.shut(draft, Random(f"shut {seed}"))  # noqa: S311  # repeatable on purpose
        misfortunes.failures(draft, Random(f"failures {seed}"))  # noqa: S311  # repeatable on purpose
    if theme not in {"calm", "storm"}:
        misfortunes.pauses_amid_work(draft, Random(f"pause {seed}"))  # noqa: S311  # repeatable on purpose
    return Plan(
        seed=seed,
        theme=theme,
        skews=tuple(round(rng.uniform(-3, 3), 3) if rng.random() < 0.8 else 0.0 for _ in range(draft.workers)),
        slots=slots,
        cap=rng.randint(1, slots) if rng.random() < 0.4 else None,
        visibility=rng.choice((30, 60, 120, 120, 300, 900)),
        lease=rng.choice((30, 60, 180, 180, 600)),
        drain=rng.choice((0, 20, 110, 110, 600)),
        scan_timeout=rng.choice((300, 900, 900, 3600)),
        pace=4.0 if theme == "changes" else rng.choice((0.2, 1.0, 1.0, 4.0)),
        sweeps=draft.sweeps,
        is_swept=draft.is_swept,
        sweep_pace=rng.choice((0, 6, 6, 600)),
        excluded_account=rng.choice(ACCOUNTS) if theme != "storm" and rng.random() < 0.06 else "",
        functions=tuple(draft.functions),
        happenings=tuple(sorted(draft.happenings, key=lambda one: one[0])),
        rates=replace(misfortunes.rates(draft), held_up=draft.held_up),
        calm_from=round(max(draft.calm_from, *(second for second, _ in draft.happenings)) + 1, 3),
    )
