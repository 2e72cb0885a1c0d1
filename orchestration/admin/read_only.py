"""The base of the engine's admin pages: to be looked at by whom Tasker's permissions allow.

A button on the page of one object leads to the page that asks for a reason; that page posts to the
list's action, so a single object and a selection go through the same confirmation.
"""

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.functional import cached_property

from orchestration.access.permissions import Permission, user_may
from orchestration.admin.actions import OperatorAction, ReasonForm
from orchestration.admin.addresses import list_of, uuid_of
from orchestration.admin.pages import demand
from orchestration.admin.visibility import scope_of, within
from orchestration.queries.counting import Count, count_rows

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Model]  # generic for the type checker only
else:
    from unfold.admin import ModelAdmin as Base


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Pages whose number is a guess where counting them would cost too much."""

    @cached_property
    def counted(self) -> Count:
        """How many rows there are, or about how many."""
        return count_rows(self.object_list)  # type: ignore[arg-type]  # always a queryset here

    @cached_property
    def count(self) -> int:
        """How many rows there are."""
        return self.counted.number


class ReadOnlyAdmin(Base):
    """Shows rows, changes none; what people do are `operator_actions`."""

    noun: ClassVar[str]
    list_permission: ClassVar[Permission]
    read_permission: ClassVar[Permission]
    namespace_field: ClassVar[str] = ""  # without one, only whoever sees everything sees rows
    operator_actions: ClassVar[tuple[OperatorAction, ...]] = ()
    large_fields: ClassVar[tuple[str, ...]] = ()  # read for the page of one object only
    list_per_page = 50
    list_select_related: ClassVar[tuple[str, ...]] = ()
    show_full_result_count = False
    paginator = BoundedPaginator

    class Media:
        css: ClassVar = {"all": ("orchestration/admin.css",)}
        js = ("orchestration/admin.js",)

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
        """Return what the user sees; what may be large stays in the database."""
        rows = super().get_queryset(request).defer(*self.large_fields)
        if self.namespace_field:
            return rows.filter(within(request, self.namespace_field))
        return rows if scope_of(request).is_everything else rows.none()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show an object to whom may read it; lead back to the list where there is none."""
        demand(request, self.read_permission)
        key = uuid_of(object_id)
        answer = None if key is None else self.show(request, key)
        if answer is not None:
            return answer
        text = f"There is no {self.noun} {object_id[:100]}. Perhaps it was purged?"
        messages.warning(request, text)
        return HttpResponseRedirect(list_of(self.opts.label_lower))

    def show(self, request: HttpRequest, key: UUID) -> HttpResponse | None:
        """Return the page of an object; None where the user sees none of that key."""
        raise NotImplementedError

    def name_of(self, subject: Any) -> str:
        """Return how an object is called where an action is about to be done to it."""
        return str(subject)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions that the user may perform; Django asks again before it runs one."""
        return {
            action.name: (action, action.name, action.label)
            for action in self.operator_actions
            if user_may(request.user, action.permission)
        }

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks for the reason of an action on one object."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        asking = self.admin_site.admin_view(self.ask_view)
        return [
            path("<uuid:object_id>/act/<slug:action>/", asking, name=name),
            *super().get_urls(),
        ]

    def ask_view(self, request: HttpRequest, object_id: UUID, action: str) -> HttpResponse:
        """Ask for the reason of an action on one object."""
        chosen = next((each for each in self.operator_actions if each.name == action), None)
        if chosen is None:
            raise Http404(f"No action {action}")
        demand(request, chosen.permission)
        seen = self.get_queryset(request).select_related(*self.list_select_related)
        subject = seen.filter(pk=object_id).first()
        if subject is None:
            raise Http404(f"No {self.opts.verbose_name} {object_id}")
        back = request.GET.get("back", "")
        return chosen.ask(self, request, [subject], ReasonForm(), back=back)


class OwnListAdmin(ReadOnlyAdmin):
    """One whose list is a page of ours instead of Django's."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list to whom may see it."""
        demand(request, self.list_permission)
        return self.show_list(request)

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Return the page."""
        raise NotImplementedError
