"""Addresses of the admin's pages.

A page of 500 steps has 2,000 of them, and Django takes its time for each: so it is asked for the
list only, and the rest is added.
"""

from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Model
from django.urls import get_script_prefix, get_urlconf, reverse


def list_of(label: str) -> str:
    """Return the address of the list of a model, `orchestration.task` for example."""
    return _list_of(label, get_script_prefix(), get_urlconf() or settings.ROOT_URLCONF)


def address_of(label: str, key: Any) -> str:
    """Return the address of the page of an object; `key` is a uuid."""
    return f"{list_of(label)}{key}/change/"


def page_of(instance: Model) -> str:
    """Return the address of an object's page."""
    return address_of(instance._meta.label_lower, instance.pk)


def asking_of(label: str, key: Any, action: str) -> str:
    """Return the address of the page that asks for the reason of an action on an object."""
    return f"{list_of(label)}{key}/act/{action}/"


def uuid_of(text: str) -> UUID | None:
    """Return the uuid that a part of an address is, None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None


@lru_cache(maxsize=100)
def _list_of(label: str, script: str, urlconf: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_changelist")
