"""What a process tells about itself: metrics, and the settings it runs with."""

from dataclasses import dataclass

from templates_registry.conf import cached, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservabilitySettings:
    """Table of what is told; attribute = name of the setting in lower case."""

    metrics_enabled: bool = setting(True, "serve /metrics")
    metrics_max_label_values: int = setting(
        500,
        "values of one label, beyond which new ones are counted as __other__",
        minimum=10,
        maximum=10_000,
    )
    config_endpoint_enabled: bool = setting(False, "serve /config, with secrets hidden")


observability_settings = cached(ObservabilitySettings)
