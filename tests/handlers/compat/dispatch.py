"""One class with several methods, chosen by the template."""

from tasker_core import StepContext, StepHandler, StepHandlerResult


class WalletHandler(StepHandler):
    handler_name = "compat_wallet"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.failure("The template must name a method", retryable=False)

    def charge(self, context: StepContext) -> StepHandlerResult:
        return self.success({"charged": context.get_input_or("amount", 10)})

    def refund(self, context: StepContext) -> StepHandlerResult:
        charged = context.get_dependency_field("charge", "charged")
        return self.success({"refunded": charged})
