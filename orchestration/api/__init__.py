"""The REST API: one module per resource, each with its serializers and views."""
