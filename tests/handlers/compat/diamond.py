"""Classes, sync and async, that build their results by hand."""

from tasker_core import ErrorType, StepContext, StepHandler, StepHandlerResult


class StartHandler(StepHandler):
    handler_name = "compat_diamond_start"
    handler_version = "1.2.0"

    def call(self, context: StepContext) -> StepHandlerResult:
        number = context.input_data.get("number")
        if not isinstance(number, int):
            return self.failure(
                message="number must be an integer",
                error_type=ErrorType.VALIDATION_ERROR,
                retryable=False,
                error_code="NOT_A_NUMBER",
            )
        return self.success({"value": number**2}, metadata={"operation": "square"})


class LeftHandler(StepHandler):
    handler_name = "compat_diamond_left"

    def call(self, context: StepContext) -> StepHandlerResult:
        value = context.get_dependency_field("start", "value")
        return StepHandlerResult.success({"value": value + 1}, metadata={"branch": "left"})


class RightHandler(StepHandler):
    handler_name = "compat_diamond_right"

    async def call(self, context: StepContext) -> StepHandlerResult:
        value = context.get_dependency_result("start")["value"]
        return self.success({"value": value * context.get_config("factor")})


class JoinHandler(StepHandler):
    handler_name = "compat_diamond_join"

    def call(self, context: StepContext) -> StepHandlerResult:
        wrapper = context.task_sequence_step
        left = wrapper.get_results("left")
        right = wrapper.dependency_results.get_results("right")
        return self.success(
            {
                "sum": left["value"] + right["value"],
                "branches": sorted(context.get_dependency_result_keys()),
                "task": wrapper.task.task_name,
                "callable": wrapper.step_definition.handler.callable,
                "capabilities": self.capabilities,
            }
        )
