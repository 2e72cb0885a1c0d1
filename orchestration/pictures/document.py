"""A picture with its table as one text: markdown, Mermaid alone, or JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from orchestration.pictures.escaping import markdown_text
from orchestration.pictures.mermaid import mermaid_lines
from orchestration.pictures.picture import Node, Picture
from orchestration.pictures.tables import Table

Format = Literal["markdown", "mermaid", "json"]


@dataclass(frozen=True, slots=True)
class Document:
    """Everything there is to say about a template or a task."""

    picture: Picture
    table: Table
    header: tuple[str, ...] = ()  # lines of markdown above the table
    warnings: tuple[str, ...] = ()


def write_document(document: Document, output_format: Format, *, graph_only: bool) -> str:
    """Return the document; it ends with one line break."""
    if output_format == "json":
        content = _as_json(document, graph_only=graph_only)
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    lines = mermaid_lines(document.picture)
    if output_format == "markdown":
        lines = _markdown_lines(document, lines, graph_only=graph_only)
    return _joined(lines)


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"


def _markdown_lines(document: Document, graph: list[str], *, graph_only: bool) -> list[str]:
    title = f"# {markdown_text(document.picture.title)}"
    lines = [title, "", "```mermaid", *graph, "```"]
    if graph_only:
        return lines
    lines += ["", "## Step Details", ""]
    if document.header:
        lines += [*document.header, ""]
    return lines + document.table.lines()


def _as_json(document: Document, *, graph_only: bool) -> dict[str, Any]:
    picture = document.picture
    edges = [
        {
            "from": edge.source,
            "to": edge.target,
            "edge_style": "solid" if edge.is_solid else "dashed",
        }
        for edge in picture.edges
    ]
    content: dict[str, Any] = {
        "graph": {"nodes": [_node(node, picture) for node in picture.nodes], "edges": edges}
    }
    if not graph_only:
        rows = [list(row) for row in document.table.rows]
        content["table"] = {"header": list(document.table.header), "rows": rows}
    return {**content, "warnings": list(document.warnings)}


def _node(node: Node, picture: Picture) -> dict[str, str | None]:
    path = f"/v1/tasks/{picture.task_uuid}/workflow_steps/{node.step_uuid}"
    return {
        "id": node.id,
        "label": f"{node.label}\n{node.note}" if node.note else node.label,
        "visual_category": node.category.value,
        "node_shape": node.shape.value,
        "resource_path": path if node.step_uuid else None,
    }
