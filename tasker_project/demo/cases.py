"""Everything that the demo asks for: every row of the tables of four example workflows."""

from tasker_project.demo.case import Case
from tasker_project.demo.orders import ORDERS
from tasker_project.demo.refunds import REFUNDS
from tasker_project.demo.registrations import REGISTRATIONS
from tasker_project.demo.reports import REPORTS

CASES = (*ORDERS, *REGISTRATIONS, *REFUNDS, *REPORTS)


def choose(workflow: str) -> list[Case]:
    """Return the cases of one workflow, or `all`; an unknown one raises `ValueError`."""
    chosen = [case for case in CASES if workflow in ("all", case.workflow)]
    if not chosen:
        known = ", ".join(dict.fromkeys(case.workflow for case in CASES))
        raise ValueError(f"There is no example workflow '{workflow}'; there are {known}")
    return chosen
