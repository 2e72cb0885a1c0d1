"""Pictures of templates and tasks: pure functions from rows to text (handlers.md 8).

`timeline_svg` draws what happened when, from the rows of `timeline` on the axis of `time_axis`;
`charts` draws bars and lines over time.

`render_template` and `render_task` write markdown, Mermaid or JSON; `render_svg` draws the
`Picture` that `template_picture` or `task_picture` returns. Rows come from
`queries/task_graph.py`; nothing here asks the database or the clock.
"""

from orchestration.pictures.document import Format
from orchestration.pictures.picture import Picture
from orchestration.pictures.rendering import render_task, render_template
from orchestration.pictures.svg import render_svg
from orchestration.pictures.task_picture import task_picture
from orchestration.pictures.template_picture import template_picture, unknown_annotations

__all__ = [
    "Format",
    "Picture",
    "render_svg",
    "render_task",
    "render_template",
    "task_picture",
    "template_picture",
    "unknown_annotations",
]
