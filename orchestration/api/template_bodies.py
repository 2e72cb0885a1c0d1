"""What templates look like on the wire (api-and-operations 1.12), and a template to be checked."""

from typing import Any

from rest_framework import serializers

from orchestration.queries.templates import NamespaceLine, VersionLine
from templates_registry.errors import SEVERITY_OF, Severity
from templates_registry.schema import TaskTemplate, canonical


class NamespaceSerializer(serializers.Serializer[Any]):
    """A namespace with the number of versions that are registered in it."""

    name = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    template_count = serializers.IntegerField()


class TemplateLineSerializer(serializers.Serializer[Any]):
    """One version of a template."""

    name = serializers.CharField()
    namespace = serializers.CharField()
    version = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    step_count = serializers.IntegerField()


class TemplatesSerializer(serializers.Serializer[Any]):
    """All active templates and the namespaces they belong to."""

    namespaces = NamespaceSerializer(many=True)
    templates = TemplateLineSerializer(many=True)
    total_count = serializers.IntegerField()


class TemplateVersionSerializer(TemplateLineSerializer):
    """One version among all that there are of a template, retired ones too."""

    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(help_text="When other content was last registered.")
    retired_at = serializers.DateTimeField(
        allow_null=True, help_text="Null while new tasks may be made from it."
    )


class TemplateStepSerializer(serializers.Serializer[Any]):
    """A step of a template with its retry policy."""

    name = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    default_retryable = serializers.BooleanField()
    default_max_attempts = serializers.IntegerField()


class TemplateSerializer(serializers.Serializer[Any]):
    """A template as new tasks of this environment are made from it."""

    name = serializers.CharField()
    namespace = serializers.CharField()
    version = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    configuration = serializers.DictField(
        help_text="The whole template; the overrides of this environment are applied."
    )
    steps = TemplateStepSerializer(many=True)


class FindingSerializer(serializers.Serializer[Any]):
    """One thing noticed about a template."""

    code = serializers.ChoiceField(choices=tuple(SEVERITY_OF))
    severity = serializers.ChoiceField(choices=[each.value for each in Severity])
    message = serializers.CharField()
    path = serializers.CharField(
        allow_blank=True, help_text="Such as `steps[2].retry.max_attempts`; empty for the whole."
    )
    step = serializers.CharField(allow_null=True)


class ReportSerializer(serializers.Serializer[Any]):
    """What is to be said about a template; one with an error is never registered."""

    valid = serializers.BooleanField()
    findings = FindingSerializer(many=True)
    step_count = serializers.IntegerField()
    has_cycles = serializers.BooleanField()


def templates_body(namespaces: list[NamespaceLine], lines: list[VersionLine]) -> dict[str, Any]:
    """Return the answer about all templates."""
    body: dict[str, Any] = TemplatesSerializer(
        {"namespaces": namespaces, "templates": lines, "total_count": len(lines)}
    ).data
    return body


def template_body(template: TaskTemplate) -> dict[str, Any]:
    """Return the answer about one template."""
    steps = [
        {
            "name": step.name,
            "description": step.description,
            "default_retryable": step.retry.retryable,
            "default_max_attempts": step.retry.max_attempts,
        }
        for step in template.steps
    ]
    body: dict[str, Any] = TemplateSerializer(
        {
            "name": template.name,
            "namespace": template.namespace_name,
            "version": template.version,
            "description": template.description,
            "configuration": canonical(template),
            "steps": steps,
        }
    ).data
    return body
