"""Decisions as a class and as a function, with the branches that they choose between."""

from tasker_core import DecisionHandler, DecisionPointOutcome, StepHandler
from tasker_core.step_handler import Decision, decision_handler, depends_on, inputs, step_handler


class RequestHandler(StepHandler):
    handler_name = "compat_read_request"

    def call(self, context):
        return self.success({"amount": context.get_input("amount")})


class RoutingHandler(DecisionHandler):
    handler_name = "compat_route_request"

    def call(self, context):
        amount = context.get_dependency_field("read_request", "amount")
        if amount is None:
            return self.skip_branches("no amount", routing_context={"amount": None})
        if amount < 100:
            return self.decision_success(["auto_approve"], routing_context={"amount": amount})
        outcome = DecisionPointOutcome.create_steps(
            ["manager_approval", "finance_review"], routing_context={"amount": amount}
        )
        return self.decision_success_with_outcome(outcome)


@decision_handler("compat_route_request_function")
@depends_on(request="read_request")
@inputs("vip")
def route_request(request, vip):
    """Route the same request in functional style."""
    if request["amount"] is None:
        return Decision.skip("no amount")
    if request["amount"] < 100 or vip:
        return Decision.route(["auto_approve"], amount=request["amount"])
    return Decision.route(["manager_approval", "finance_review"])


@step_handler("compat_approve")
def approve(context):
    """Approve; which branch it is stands in its configuration."""
    return {"approved_by": context.step_config["who"]}


@step_handler("compat_record_approvals")
def record_approvals(context):
    """Collect what the branches that exist have said."""
    names = ("auto_approve", "manager_approval", "finance_review")
    found = (context.get_dependency_result(name) for name in names)
    return {"approved_by": sorted(each["approved_by"] for each in found if each)}
