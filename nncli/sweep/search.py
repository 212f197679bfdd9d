"""The stages of a search: which trials are trained next, given how those before ended."""

from collections.abc import Callable, Iterator, Sequence

from nncli.sweep.halving import halving
from nncli.sweep.plan import Plan
from nncli.sweep.tpe import tpe
from nncli.sweep.trials import Outcomes, Task


def stages(plan: Plan, outcomes: Outcomes) -> Iterator[Sequence[Task]]:
    """Yield the stages of a search, which depend on group.json and the outcomes only.

    The tasks of a stage can be done in any order, by any number of workers. The next stage is asked for when all of
    them have ended.

    Args:
        plan: the plan of the group.
        outcomes: reads how trials of the stages before ended.
    """
    yield from SEARCHES[plan.record.method](plan, outcomes)


def all_at_once(plan: Plan, outcomes: Outcomes) -> Iterator[Sequence[Task]]:
    """One stage with all trials, for points that are chosen in advance: grid and random."""
    yield Stage(plan)


class Stage(Sequence[Task]):
    """All trials of a plan; each is computed when it is asked for."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, number: int) -> Task:  # type: ignore[override]
        if not 0 <= number < len(self.plan):
            raise IndexError(number)
        return Task(self.plan.trial(number))


Search = Callable[[Plan, Outcomes], Iterator[Sequence[Task]]]
SEARCHES: dict[str, Search] = {"grid": all_at_once, "random": all_at_once, "halving": halving, "tpe": tpe}
