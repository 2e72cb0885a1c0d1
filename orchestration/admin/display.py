"""How values look in the admin: states, JSON, times, shares; everything escaped."""

import json
import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from orchestration.pictures.durations import duration_text

LONGEST_JSON = 100 * 1024
LONGEST_STATE = 40  # of a column; what stands in a snapshot may be anything
UNSET = format_html("{}", "\N{EM DASH}")
BADGES = {
    "pending": ("○", "grey"),
    "cancelled": ("\N{EN DASH}", "grey tk-struck"),
    "initializing": ("◔", "blue"),
    "enqueuing_steps": ("◔", "blue"),
    "enqueued": ("◔", "blue"),
    "enqueued_for_orchestration": ("◔", "blue"),
    "evaluating_results": ("◔", "blue"),
    "steps_in_process": ("▶", "blue"),
    "in_progress": ("▶", "blue"),
    "waiting_for_dependencies": ("⏸", "cyan"),
    "waiting_for_retry": ("↻", "yellow"),
    "enqueued_as_error_for_orchestration": ("↻", "yellow"),
    "blocked_by_failures": ("■", "red"),
    "error": ("✕", "red"),
    "complete": ("✓", "green"),
    "resolved_manually": ("☝", "violet"),
    # verdicts of health checks, states of processes and DLQ entries
    "healthy": ("✓", "green"),
    "degraded": ("!", "yellow"),
    "unhealthy": ("✕", "red"),
    "running": ("▶", "green"),
    "draining": ("◔", "yellow"),
    "stopped": ("○", "grey"),
    "stale": ("!", "red"),
    "lost": ("✕", "red"),
    "manually_resolved": ("✓", "green"),
    "permanently_failed": ("✕", "red"),
    "active": ("✓", "green"),
    "expired": ("○", "grey"),
    "revoked": ("✕", "red"),
    "owner_inactive": ("○", "grey"),
}
_TOKEN = re.compile(
    r'(?P<k>"(?:[^"\\]|\\.)*")(?=:)|(?P<s>"(?:[^"\\]|\\.)*")|(?P<n>\b(?:true|false|null)\b|-?\d[\d.eE+-]*)'
)


def state_badge(state: str, *, suffix: str = "") -> SafeString:
    """Return a state as icon, word and colour."""
    icon, colour = BADGES.get(state, ("?", "grey"))
    return format_html(
        '<span class="tk-badge tk-{}" data-state="{}">'
        '<span aria-hidden="true">{}</span>{}{}</span>',
        colour,
        state,
        icon,
        state[:LONGEST_STATE].replace("_", " "),
        suffix,
    )


def json_block(value: Any) -> SafeString:
    """Return a JSON value indented and coloured; of a long one only the beginning."""
    if value is None:
        return UNSET
    text = json.dumps(value, indent=2, ensure_ascii=False)
    rest = len(text) - LONGEST_JSON
    if rest <= 0:
        return format_html('<pre class="tk-json" tabindex="0">{}</pre>', _coloured(text))
    note = f"\n… {rest} more characters; the download has all of it"
    return format_html('<pre class="tk-json" tabindex="0">{}{}</pre>', text[:LONGEST_JSON], note)


def is_cut(value: Any) -> bool:
    """Tell whether `json_block` leaves out a part of a value."""
    return value is not None and len(json.dumps(value, indent=2, ensure_ascii=False)) > LONGEST_JSON


def _coloured(text: str) -> SafeString:
    """Return JSON text, escaped, with its keys, texts and numbers marked."""
    parts: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        parts.append(escape(text[end : token.start()]))
        parts.append(f'<span class="{token.lastgroup}">{escape(token.group())}</span>')
        end = token.end()
    return mark_safe("".join([*parts, escape(text[end:])]))  # noqa: S308 escaped piece by piece


def short_id(uuid: UUID | str) -> str:
    """Return the end of an id; its beginning is a clock."""
    return str(uuid)[-8:]


def moment(at: datetime | None) -> SafeString:
    """Return a time to the second, with all of it in the tooltip."""
    if at is None:
        return UNSET
    return format_html(
        '<time class="tk-nowrap" datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        at.isoformat(),
        f"{at:%Y-%m-%d %H:%M:%S}",
    )


def age(at: datetime | None, *, until: datetime | None = None) -> str:
    """Return how long ago something was, or how long it took, in its two greatest units."""
    if at is None:
        return UNSET
    length = (timezone.now() if until is None else until) - at
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{max(seconds, 0)} s" if until is None else duration_text(length)
    for size, unit, smaller, small_unit in _UNITS:
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit}" + (f" {rest} {small_unit}" if rest else "")
    raise AssertionError(seconds)


_UNITS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def progress_bar(done: int, total: int) -> SafeString:
    """Return how much of something is done, as a bar and in words."""
    share = round(100 * done / total) if total else 0
    return format_html(
        '<span class="tk-nowrap"><span class="tk-bar" aria-hidden="true">'
        '<span style="width:{}%"></span></span> {} of {}</span>',
        share,
        done,
        total,
    )
