"""The engine's settings, one table per subject, each with the getter that reads it once.

Every row is read by some part of the code; the reader, with its order of code, variable, profile
and default, is `templates_registry.conf`. What only a worker needs is in `workers.conf`.
"""

from orchestration.conf.access import AccessSettings, access_settings
from orchestration.conf.admin import AdminSettings, admin_settings
from orchestration.conf.engine import BACKOFF_STRATEGIES, MODES, EngineSettings, engine_settings
from orchestration.conf.observability import ObservabilitySettings, observability_settings
from orchestration.conf.pools import PoolSettings, pool_settings
from orchestration.conf.protection import ProtectionSettings, Tier, protection_settings
from orchestration.conf.retention import RetentionSettings, retention_settings
from orchestration.conf.staleness import StalenessSettings, staleness_settings

__all__ = [
    "BACKOFF_STRATEGIES",
    "MODES",
    "AccessSettings",
    "AdminSettings",
    "EngineSettings",
    "ObservabilitySettings",
    "PoolSettings",
    "ProtectionSettings",
    "RetentionSettings",
    "StalenessSettings",
    "Tier",
    "access_settings",
    "admin_settings",
    "engine_settings",
    "observability_settings",
    "pool_settings",
    "protection_settings",
    "retention_settings",
    "staleness_settings",
]
