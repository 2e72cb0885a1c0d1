"""The two tables of engine.md 7.3, written out once more, as the tests expect them.

Texts are in the notation of `histories`: a hop whose event is not the usual one shows it.
"""

GOALS = ("enqueue", "in_flight", "retry", "blocked", "finished", "idle")
CAUSES = ("creation", "success", "failure", "timer", "operator")
OPEN_STATES = {
    "P": "pending",
    "I": "initializing",
    "Q": "enqueuing_steps",
    "S": "steps_in_process",
    "E": "evaluating_results",
    "D": "waiting_for_dependencies",
    "R": "waiting_for_retry",
    "B": "blocked_by_failures",
}
RESULTS = ("success", "failure")

FROM_EVALUATING = {
    "enqueue": "Q S",
    "in_flight": "S",
    "retry": "R",
    "blocked": "B",
    "finished": "C",
    "idle": "D",
}
FROM_INITIALIZING = {
    "enqueue": "Q S",
    "in_flight": "D E:dependencies_ready S",
    "retry": "D E:dependencies_ready R",
    "blocked": "D E:dependencies_ready B",
    "finished": "C",
    "idle": "D",
}
INTO_EVALUATING = {  # state → cause → how the deciding state is reached
    "S": {
        "creation": "E:reevaluate",
        "success": "E",
        "failure": "E:step_failed",
        "timer": "E:reevaluate",
        "operator": "E:reevaluate",
    },
    "D": dict.fromkeys(CAUSES, "E:dependencies_ready") | {"operator": "E:reevaluate"},
    "R": dict.fromkeys(CAUSES, "E:dependencies_ready") | {"operator": "E:reevaluate"},
    "B": dict.fromkeys(CAUSES, "E:reevaluate"),
    "Q": dict.fromkeys(CAUSES, "S E:reevaluate"),
    "E": dict.fromkeys(CAUSES, ""),
}


def expected(goal: str, letter: str, cause: str) -> str:
    """Return the hops that engine.md 7.3 demands, empty for "no noise"."""
    if letter == "P":
        path = f"I {FROM_INITIALIZING[goal]}"
    elif letter == "I":
        path = FROM_INITIALIZING[goal]
    elif letter == "R" and goal == "enqueue" and cause != "operator":
        path = "Q S"
    else:
        path = f"{INTO_EVALUATING[letter][cause]} {FROM_EVALUATING[goal]}".strip()
    ends_where_it_is = path.split()[-1] == letter
    if cause not in RESULTS and goal != "enqueue" and ends_where_it_is:
        return ""
    return path
