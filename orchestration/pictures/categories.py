"""What a state looks like: category, sign and word, for steps that exist and for those that do not.

A picture never tells a state by colour alone. `untraversed` is a step that will never be created,
unlike one that a decision or a batch may still bring.
"""

from collections.abc import Iterable, Mapping

from orchestration.pictures.picture import Category
from orchestration.queries.task_graph import TaskGraph
from orchestration.states import SATISFYING_STEP_STATES, TERMINAL_TASK_STATES, StepState
from templates_registry import dag

CATEGORY_OF: Mapping[str, Category] = {
    StepState.COMPLETE: Category.COMPLETED,
    StepState.RESOLVED_MANUALLY: Category.COMPLETED,
    StepState.ENQUEUED: Category.IN_PROGRESS,
    StepState.IN_PROGRESS: Category.IN_PROGRESS,
    StepState.ENQUEUED_FOR_ORCHESTRATION: Category.IN_PROGRESS,
    StepState.PENDING: Category.PENDING,
    StepState.ERROR: Category.ERROR,
    StepState.CANCELLED: Category.ERROR,
    StepState.ENQUEUED_AS_ERROR_FOR_ORCHESTRATION: Category.ERROR,
    StepState.WAITING_FOR_RETRY: Category.RETRYING,
}
_WORD_OF: Mapping[str, str] = {
    Category.COMPLETED: "\N{CHECK MARK} Completed",
    Category.IN_PROGRESS: "\N{BLACK RIGHT-POINTING TRIANGLE} In Progress",
    Category.PENDING: "\N{WHITE CIRCLE} Pending",
    Category.ERROR: "\N{MULTIPLICATION X} Error",
    Category.RETRYING: "\N{CLOCKWISE OPEN CIRCLE ARROW} Retrying",
    Category.UNTRAVERSED: "\N{EN DASH} Untraversed",
    StepState.CANCELLED: "\N{EN DASH} Cancelled",
    StepState.RESOLVED_MANUALLY: "\N{WHITE UP POINTING INDEX} Resolved manually",
}
# A stack of instances shows the worst of them: what needs a person first, then what is least far.
_WORST_FIRST = (
    Category.ERROR,
    Category.RETRYING,
    Category.PENDING,
    Category.IN_PROGRESS,
    Category.COMPLETED,
)
_OPENING_TYPES = frozenset(["decision", "batchable"])


def word_of(category: Category, state: str = "") -> str:
    """Return sign and word of a category, or of a state that its category would blur."""
    return _WORD_OF.get(state) or _WORD_OF[category]


def sign_of(category: Category) -> str:
    """Return the sign of a category alone."""
    return _WORD_OF[category].split()[0]


def worst_of(categories: Iterable[Category]) -> Category:
    """Return the category that stands for a whole stack."""
    return min(categories, key=_WORST_FIRST.index)


def steps_that_may_appear(graph: TaskGraph) -> set[str]:
    """Return the template steps that an unfinished decision or batchable step may still create."""
    if graph.task.state in TERMINAL_TASK_STATES:
        return set()
    unfinished = [
        step.name
        for step in graph.steps
        if step.step_type in _OPENING_TYPES and step.state not in SATISFYING_STEP_STATES
    ]
    return dag.descendants(graph.template.dependencies(), unfinished)
