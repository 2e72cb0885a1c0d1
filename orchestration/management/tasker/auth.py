"""API keys and permissions: make a key, list and end keys, see who may what."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser
from django.utils import timezone

from orchestration.access.api_keys import create_key, expire_key, find_key, revoke_key
from orchestration.access.key_text import MARK, prefix_of
from orchestration.access.permissions import ROLES, Permission, expand, is_wildcard
from orchestration.access.principals import (
    Principal,
    name_of_user,
    principal_of_command_line,
    principal_of_user,
)
from orchestration.access.scope import EVERY_NAMESPACE, scope_of
from orchestration.errors import InvalidRequestError, NotFoundError
from orchestration.management.tasker.verb import Answer, Verb, duration
from orchestration.models import ApiKey

LISTED = ("name", "prefix", "state", "permissions", "namespaces", "expires_at", "last_used_at")


def _create_arguments(parser: CommandParser) -> None:
    parser.add_argument("--name", required=True, help="what the key is for")
    parser.add_argument(
        "--permission",
        action="append",
        default=[],
        metavar="NAME",
        help="tasks:create, tasks:*, * …; may be repeated",
    )
    parser.add_argument(
        "--group-permissions",
        choices=tuple(ROLES),
        action="append",
        default=[],
        help="all permissions of a role as it is now; may be repeated",
    )
    parser.add_argument(
        "-n",
        "--namespace",
        action="append",
        default=[],
        help="namespace that the key sees, '*' for all; may be repeated",
    )
    parser.add_argument("--expires", type=duration, metavar="90d", help="when the key ends")
    parser.add_argument("--owner", metavar="USER", help="an inactive owner ends the key")
    _reason_argument(parser)


def _reason_argument(parser: CommandParser) -> None:
    parser.add_argument("-r", "--reason", default="", help="stands in the record")


def create(options: dict[str, Any]) -> Answer:
    """Make a key and show its text, once."""
    roles = [
        each.value
        for role in options["group_permissions"]
        for each in Permission
        if each in ROLES[role]
    ]
    made = create_key(
        name=options["name"],
        permissions=[*options["permission"], *roles],
        namespaces=options["namespace"],
        granted_by=principal_of_command_line(),
        owner=_user(options["owner"]) if options["owner"] else None,
        expires_at=_end(options),
        reason=options["reason"],
    )
    body = _body(made.key) | {"key": made.text}
    notes = ["The key is shown this once; it is stored nowhere."]
    if wide := [each for each in made.key.permissions if is_wildcard(each)]:
        notes.append(f"It may also do what is added later: {', '.join(wide)}.")
    if not made.key.namespaces:
        notes.append("It sees no namespace, and so no task; name some with -n, or all: -n '*'.")
    return Answer(body=body, columns=("key", *LISTED), notes=notes)


def list_keys(options: dict[str, Any]) -> Answer:
    """List all keys, dead ones too, the newest first."""
    keys = ApiKey.objects.select_related("owner").order_by("-created_at", "prefix")
    body = [_body(each) for each in keys]
    return Answer(body=body, columns=LISTED, notes=[] if body else ["There are no API keys."])


def _prefix_argument(parser: CommandParser) -> None:
    parser.add_argument("prefix", metavar="PREFIX", help="the eight letters after tsk_")


def _revoke_arguments(parser: CommandParser) -> None:
    _prefix_argument(parser)
    _reason_argument(parser)


def revoke(options: dict[str, Any]) -> Answer:
    """End a key for good."""
    key = revoke_key(
        prefix=_prefix(options["prefix"]),
        revoked_by=principal_of_command_line(),
        reason=options["reason"],
    )
    return Answer(body=_body(key), columns=LISTED)


def _expire_arguments(parser: CommandParser) -> None:
    _prefix_argument(parser)
    _reason_argument(parser)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--expires", type=duration, metavar="7d", help="from now")
    chosen.add_argument("--never", action="store_true", help="take the end back")


def expire(options: dict[str, Any]) -> Answer:
    """Let a key end after a while, when another one has taken its place."""
    key = expire_key(
        prefix=_prefix(options["prefix"]),
        expires_at=_end(options),
        changed_by=principal_of_command_line(),
        reason=options["reason"],
    )
    return Answer(body=_body(key), columns=LISTED)


def _principal_argument(parser: CommandParser) -> None:
    parser.add_argument(
        "principal", nargs="?", metavar="PRINCIPAL", help="user:NAME or api_key:PREFIX"
    )


def show_permissions(options: dict[str, Any]) -> Answer:
    """Show all permissions with the roles that have them, or what one principal may."""
    if not options["principal"]:
        rows = [
            {
                "permission": each.value,
                "opens": each.opens,
                "roles": [role for role, held in ROLES.items() if each in held],
            }
            for each in Permission
        ]
        return Answer(body=rows)
    found = _principal(options["principal"])
    namespaces = found.scope.as_parameter()
    return Answer(
        body={
            "principal": found.name,
            "permissions": [each.value for each in Permission if found.may(each)],
            "namespaces": [EVERY_NAMESPACE] if namespaces is None else namespaces,
        }
    )


def _principal(name: str) -> Principal:
    kind, _, rest = name.partition(":")
    if kind == "user" and rest:
        return principal_of_user(_user(rest))
    if kind == "api_key" and rest:
        key = find_key(_prefix(rest))
        return Principal(f"api_key:{key.prefix}", expand(key.permissions), scope_of(key.namespaces))
    raise InvalidRequestError(f"'{name}' is no principal like user:ann or api_key:Ab3dEf9h")


def _prefix(given: str) -> str:
    """Return the prefix in `Ab3dEf9h`, `tsk_Ab3dEf9h`, or the whole text of a key."""
    return prefix_of(given) or given.removeprefix(MARK)


def _user(name: str) -> User:
    try:
        return User.objects.get(username=name)
    except User.DoesNotExist as error:
        raise NotFoundError(f"There is no user '{name}'") from error


def _end(options: dict[str, Any]) -> datetime | None:
    return timezone.now() + options["expires"] if options["expires"] else None


def _body(key: ApiKey) -> dict[str, Any]:
    return {
        "api_key_uuid": key.api_key_uuid,
        "name": key.name,
        "prefix": key.prefix,
        "state": key.state.value,
        "permissions": key.permissions,
        "namespaces": key.namespaces,
        "owner": name_of_user(key.owner) if key.owner else None,
        "created_by": key.created_by,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
        "revoked_by": key.revoked_by or None,
    }


VERBS = {
    "create-key": Verb(help="Make an API key.", run=create, arguments=_create_arguments),
    "list-keys": Verb(help="List all API keys.", run=list_keys),
    "revoke-key": Verb(help="End an API key now.", run=revoke, arguments=_revoke_arguments),
    "expire-key": Verb(help="Let an API key end later.", run=expire, arguments=_expire_arguments),
    "show-permissions": Verb(
        help="Show who may what.", run=show_permissions, arguments=_principal_argument
    ),
}
