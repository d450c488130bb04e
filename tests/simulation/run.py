"""One seed, from its plan to its verdict."""

from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.course import Course
from tests.simulation.isolation import quiet, seeded
from tests.simulation.loop import Livelock, SimulationLoop
from tests.simulation.plan import Plan
from tests.simulation.planner import plan
from tests.simulation.scene import Violation
from tests.simulation.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one seed.

    Attributes:
        seed: The seed.
        theme: Of its plan.
        violation: The first invariant that did not hold; None if all did.
        counts: How often each kind of thing happened.
        virtual: Seconds of virtual time.
        turns: Callbacks that were run.
        trace: Everything that happened.
    """

    seed: int
    theme: str
    violation: Violation | None
    counts: Counter[str]
    virtual: float
    turns: int
    trace: Trace = field(repr=False)


def run(seed: int) -> Outcome:
    """Run one seed. The same seed does the same each time, in each process."""
    return run_plan(plan(seed))


def run_plan(decided: Plan) -> Outcome:
    """Run a plan."""
    with quiet(), seeded(decided.seed):
        loop = SimulationLoop()  # type: ignore[abstract]  # it has what asyncio asks of a loop without sockets
        course = Course(decided, loop)
        try:
            loop.run(course.main())
        except Livelock as stuck:
            course.scene.violated(7, str(stuck))
        finally:
            course.close()
            loop.dismantle([*(host for worker in course.workers for host in worker.hosts), *course.sweepers.hosts])
    if course.strays:
        course.scene.violated(0, f"an error that nobody took: {course.strays[0]}")
    return Outcome(
        seed=decided.seed,
        theme=decided.theme,
        violation=course.scene.violation,
        counts=course.trace.counts,
        virtual=loop.time(),
        turns=loop.turns,
        trace=course.trace,
    )
