"""The base of the engine's admin pages: to be looked at by whom Tasker's permissions allow.

Buttons on the page of one object post to the list's action, so a single object and a selection go
through the same confirmation.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from orchestration.access.permissions import Permission, user_may
from orchestration.admin.actions import OperatorAction

if TYPE_CHECKING:
    Page = admin.ModelAdmin[Model]  # generic for the type checker only
else:
    Page = admin.ModelAdmin


class ReadOnlyAdmin(Page):
    """Shows rows, changes none; what people do are `operator_actions`."""

    list_permission: ClassVar[Permission]
    read_permission: ClassVar[Permission]
    operator_actions: ClassVar[tuple[OperatorAction, ...]] = ()
    large_fields: ClassVar[tuple[str, ...]] = ()  # read for the page of one object only
    change_form_template = "admin/orchestration/object.html"
    list_per_page = 50
    list_select_related: ClassVar[tuple[str, ...]] = ()
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is edited by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted by hand."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Lists and single objects have permissions of their own."""
        permission = self.list_permission if obj is None else self.read_permission
        return user_may(request.user, permission)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The index shows what may be listed."""
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave what may be large in the database unless one object is looked at."""
        found = super().get_queryset(request)
        match = request.resolver_match
        if match and "object_id" in match.kwargs:
            return found.select_related(*self.list_select_related)
        return found.defer(*self.large_fields)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions that the user may perform; Django asks again before it runs one."""
        return {
            action.name: (action, action.name, action.label)
            for action in self.operator_actions
            if user_may(request.user, action.permission)
        }

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one object with the buttons of its actions."""
        allowed = [action for action, _, _ in self.get_actions(request).values()]
        context = {"operator_actions": allowed, "object_id": object_id, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)
