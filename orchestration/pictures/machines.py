"""The two state machines as Mermaid diagrams, from the moves that the models declare.

Moves between the same two states share an arrow. A document of the code, not of any task.
"""

from collections import defaultdict
from collections.abc import Iterable

from orchestration.models import Task, WorkflowStep
from orchestration.states import StepState, TaskState

Moves = Iterable[tuple[str, str, str]]
MACHINES = (("Task", Task, TaskState), ("Step", WorkflowStep, StepState))


def render_machines() -> str:
    """Return the state machines of tasks and steps as markdown."""
    parts = [f"# {name}\n\n{_fenced(model.moves(), states)}" for name, model, states in MACHINES]
    return "\n".join(parts)


def _fenced(moves: Moves, states: Iterable[str]) -> str:
    return "\n".join(["```mermaid", *diagram_lines(moves, list(states)), "```", ""])


def diagram_lines(moves: Moves, states: list[str]) -> list[str]:
    """Return a state diagram; the first state is the one that rows begin in."""
    events: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source, target, event in sorted(moves):
        events[source, target].append(event)
    order = {state: number for number, state in enumerate(states)}
    arrows = sorted(events, key=lambda pair: (order[pair[0]], order[pair[1]]))
    return [
        "stateDiagram-v2",
        f"    [*] --> {states[0]}",
        *(f"    {a} --> {b}: {', '.join(events[a, b])}" for a, b in arrows),
    ]
