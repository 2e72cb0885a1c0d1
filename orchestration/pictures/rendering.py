"""The two documents: what is drawn and listed for a template, and for a task (handlers.md 8)."""

from collections.abc import Mapping

from orchestration.pictures.document import Document, Format, write_document
from orchestration.pictures.durations import elapsed
from orchestration.pictures.escaping import markdown_text
from orchestration.pictures.tables import task_table, template_table
from orchestration.pictures.task_picture import task_picture
from orchestration.pictures.template_picture import template_picture, unknown_annotations
from orchestration.queries.task_graph import TaskGraph, TaskHead
from templates_registry.schema import TaskTemplate

_NOTHING: Mapping[str, str] = {}


def render_template(
    template: TaskTemplate,
    *,
    annotations: Mapping[str, str] = _NOTHING,
    output_format: Format = "markdown",
    graph_only: bool = False,
) -> str:
    """Return a valid template as text; annotations are texts by names of steps."""
    document = Document(
        template_picture(template, annotations=annotations),
        template_table(template),
        warnings=tuple(unknown_annotations(template, annotations)),
    )
    return write_document(document, output_format, graph_only=graph_only)


def render_task(
    graph: TaskGraph,
    *,
    output_format: Format = "markdown",
    graph_only: bool = False,
    base_url: str = "",
) -> str:
    """Return a task as text; `base_url` is the server that its links lead to."""
    base_url = base_url.rstrip("/")
    reason = graph.task.dlq_reason
    document = Document(
        task_picture(graph),
        task_table(graph, base_url=base_url),
        header=_header(graph.task, base_url),
        warnings=(f"Task is in DLQ: {reason}",) if reason else (),
    )
    return write_document(document, output_format, graph_only=graph_only)


def _header(task: TaskHead, base_url: str) -> tuple[str, ...]:
    """Return the three lines above the table of a task."""
    identity = {"Task": task.name, "Namespace": task.namespace, "Version": task.version}
    progress = {
        "Status": task.state,
        "Completion": f"{task.completion_percentage:.0f}%",
        "Health": task.health_status,
        "Elapsed": elapsed(task),
    }
    links = {"Task Detail": f"/v1/tasks/{task.task_uuid}"}
    if task.dlq_reason:
        progress["DLQ"] = "In DLQ"
        links["DLQ"] = f"/v1/dlq/task/{task.task_uuid}"
    server = markdown_text(base_url)
    return (
        _facts(identity),
        _facts(progress),
        " | ".join(f"[{name}]({server}{path})" for name, path in links.items()),
    )


def _facts(facts: Mapping[str, str]) -> str:
    return " | ".join(f"**{name}**: {markdown_text(text)}" for name, text in facts.items())
