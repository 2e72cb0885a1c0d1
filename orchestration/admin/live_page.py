"""A page with one part that is asked for again every few seconds, for as long as it is open."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from orchestration.admin.pages import fragment, page, part
from orchestration.conf import admin_settings


def live_page(
    request: HttpRequest, title: str, name: str, build: Callable[[], SafeString], **context: Any
) -> HttpResponse:
    """Show the page; where htmx asks, only the part."""
    query = request.GET.urlencode()
    piece = fragment(
        "live_part",
        address=f"{request.path}?{query}" if query else request.path,
        seconds=admin_settings().admin_refresh_seconds,
        seen=timezone.now(),
        content=part(name, build),
    )
    if request.headers.get("HX-Request"):
        return HttpResponse(piece, headers={"Cache-Control": "no-store"})
    return page(request, "live_page", title, piece=piece, **context)
