"""How values look in the admin: a state as icon, word and colour; JSON indented; all escaped."""

import json
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

LONGEST_JSON = 100_000
GREY, BLUE, CYAN, YELLOW = (
    "#e2e3e5;#383d41",
    "#cce5ff;#004085",
    "#d1ecf1;#0c5460",
    "#fff3cd;#856404",
)
RED, GREEN, VIOLET = "#f8d7da;#721c24", "#d4edda;#155724", "#e2d9f3;#432874"
BADGES = {
    "pending": ("○", GREY),
    "cancelled": ("–", GREY),  # noqa: RUF001 the icon of the design
    "initializing": ("◔", BLUE),
    "enqueuing_steps": ("◔", BLUE),
    "enqueued": ("◔", BLUE),
    "enqueued_for_orchestration": ("◔", BLUE),
    "evaluating_results": ("◔", BLUE),
    "steps_in_process": ("▶", BLUE),
    "in_progress": ("▶", BLUE),
    "waiting_for_dependencies": ("⏸", CYAN),
    "waiting_for_retry": ("↻", YELLOW),
    "enqueued_as_error_for_orchestration": ("↻", YELLOW),
    "blocked_by_failures": ("■", RED),
    "error": ("✕", RED),
    "complete": ("✓", GREEN),
    "resolved_manually": ("☝", VIOLET),
}


def state_badge(state: str) -> SafeString:
    """Return a state with its icon on its colour."""
    icon, colours = BADGES.get(state, ("?", GREY))
    background, text = colours.split(";")
    return format_html(
        '<span style="background:{};color:{};padding:2px 8px;border-radius:8px;'
        'white-space:nowrap">{} {}</span>',
        background,
        text,
        icon,
        state.replace("_", " "),
    )


def json_block(value: Any) -> SafeString | str:
    """Return a JSON value indented; of a long one only the beginning."""
    if value is None:
        return "-"
    text = json.dumps(value, indent=2, ensure_ascii=False)
    rest = len(text) - LONGEST_JSON
    if rest > 0:
        text = f"{text[:LONGEST_JSON]}\n… {rest} more characters; the API shows all of it"
    return format_html('<pre style="white-space:pre-wrap;margin:0">{}</pre>', text)
