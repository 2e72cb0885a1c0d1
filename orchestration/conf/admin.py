"""The admin: how often its pages look again, and how much one action may take on."""

from dataclasses import dataclass

from templates_registry.conf import cached, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings:
    """Table of the admin; attribute = name of the setting in lower case."""

    admin_refresh_seconds: int = setting(
        3,
        "pause between two looks of a page that is open; 0 = only on reload",
        unit="seconds",
        minimum=0,
        maximum=300,
        profiles={"test": 1},
    )
    admin_bulk_limit: int = setting(
        1000, "objects that one action may be asked of", minimum=1, maximum=10_000
    )


admin_settings = cached(AdminSettings)
