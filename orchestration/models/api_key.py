"""API keys: what a program shows to be let in. The text itself is never stored, only its hash."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from templates_registry.models import TaskerNow, UuidV7

PREFIX_LENGTH = 8


class KeyState(models.TextChoices):
    """Whether a key lets in, and why not."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    OWNER_INACTIVE = "owner_inactive"


class ApiKey(models.Model):
    """One key. An empty list of namespaces sees nothing; `*` stands for all of them."""

    api_key_uuid = models.UUIDField(primary_key=True, db_default=UuidV7(), editable=False)
    name = models.CharField(max_length=128)
    prefix = models.CharField(max_length=PREFIX_LENGTH, unique=True)
    key_hash = models.CharField(max_length=64)
    permissions = ArrayField(models.CharField(max_length=64))
    namespaces = ArrayField(models.CharField(max_length=29))
    # A deleted owner would leave keys that nobody answers for; one that left is made inactive.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tasker_api_keys",
    )
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=TaskerNow())
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=255, blank=True, db_default="")

    class Meta:
        db_table = "tasker_api_keys"
        verbose_name = "API key"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="tasker_api_key_prefix", condition=Q(prefix__regex="^[A-Za-z0-9]{8}$")
            ),
            models.CheckConstraint(
                name="tasker_api_key_hash", condition=Q(key_hash__regex="^[0-9a-f]{64}$")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (tsk_{self.prefix}_…)"

    @property
    def state(self) -> KeyState:
        """Whether the key lets in; `select_related("owner")` saves the look at its owner."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.owner is not None and not self.owner.is_active:
            return KeyState.OWNER_INACTIVE
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return KeyState.EXPIRED
        return KeyState.ACTIVE


class Access(models.Model):
    """No table: what the permissions of Tasker hang on in Django's own tables."""

    class Meta:
        managed = False
        default_permissions = ()
        verbose_name_plural = "access"

    def __str__(self) -> str:
        return "access"
