"""The discrete-event model: changes and a sweep, two queues, tasks that come and go.

What is exact and what is summed up: while a day has no more than `GRAIN` scans (`infra.capacity.scenario`), each
message is an event of its own. Above that, messages that begin in the same moment are taken together, as many as it
needs to stay near that number: they hold as many slots as they are and take equally long. Slots, rates and order stay
what they are; only the moments at which slots come free are coarser (at 60 seconds a scan, by a twentieth of all slots
at once).
"""

import random

import simpy

from infra.capacity.arrivals import Arrivals
from infra.capacity.dispatch import Dispatch
from infra.capacity.fleet import Fleet
from infra.capacity.line import Line
from infra.capacity.record import Record
from infra.capacity.scaling import MINUTE, Figures, Scaling
from infra.capacity.scenario import Scenario
from infra.capacity.timer import Process
from infra.capacity.workforce import Workforce


def run(scenario: Scenario, seed: int) -> Record:
    """Simulate it; the same scenario and seed give the same record."""
    return _Run(scenario, seed).result()


class _Run:
    def __init__(self, scenario: Scenario, seed: int) -> None:
        setup = scenario.setup
        tasks = setup.min_tasks if scenario.tasks is None else scenario.tasks
        chance = random.Random(seed)  # noqa: S311  # a simulation, no secret
        self._scenario = scenario
        self._env = env = simpy.Environment()
        self._record = record = Record()
        self._changes, self._sweep = changes, sweep = Line(), Line()
        self._scaling = Scaling(setup)
        self._scaling.wanted = tasks
        self._fleet = fleet = Fleet(setup=setup, accounts=scenario.accounts, most=scenario.most, tasks=tasks)
        self._dispatch = Dispatch(
            scenario=scenario, env=env, chance=chance, fleet=fleet, changes=changes, sweep=sweep, record=record
        )
        self._arrivals = Arrivals(
            scenario=scenario,
            env=env,
            chance=chance,
            changes=changes,
            sweep=sweep,
            record=record,
            dispatch=self._dispatch.dispatch,
        )
        self._workforce = Workforce(setup=setup, env=env, fleet=fleet, record=record, on_start=self._dispatch.dispatch)

    def result(self) -> Record:
        """Run to the end."""
        scenario, env, record = self._scenario, self._env, self._record
        self._arrivals.begin()
        env.process(self._minutes_pass())
        end = env.timeout(scenario.seconds)
        env.run(until=env.any_of([end, self._dispatch.swept]) if scenario.until_swept else end)
        self._workforce.count()
        record.seconds = env.now
        if len(record.minutes) * MINUTE < env.now:
            self._close_minute()
        self._dispatch.give_up()
        return record

    def _minutes_pass(self) -> Process:
        changes, sweep, workforce = self._changes, self._sweep, self._workforce
        known: Figures | None = None
        while True:
            before = workforce.running_seconds
            yield self._env.timeout(MINUTE)
            workforce.count()
            self._close_minute()
            # CloudWatch has a minute's figures when the next one is over.
            if known is not None:
                workforce.adjust(self._scaling.minute(self._env.now, known))
            known = Figures(
                waiting=changes.waiting + sweep.waiting,
                changes=changes.waiting,
                oldest=changes.age(self._env.now),
                running=(workforce.running_seconds - before) / MINUTE,
            )

    def _close_minute(self) -> None:
        self._record.close_minute(
            tasks=self._workforce.there,
            visible=self._changes.waiting + self._sweep.waiting,
            held=self._fleet.changes + self._fleet.swept,
        )
