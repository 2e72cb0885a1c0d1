"""Django's log of what people did, beside the history that the engine keeps."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model
from django.http import HttpRequest


def log_action(request: HttpRequest, subject: Model, text: str, *, flag: int = CHANGE) -> None:
    """Write one entry about an action that was carried out."""
    user = request.user
    if user.pk is None:
        raise TypeError("Django's admin lets only users in")
    LogEntry.objects.log_actions(
        user_id=user.pk,
        queryset=[subject],
        action_flag=flag,
        change_message=text,
        single_object=True,
    )
