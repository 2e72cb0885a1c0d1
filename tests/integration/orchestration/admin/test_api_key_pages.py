"""API keys in the admin: the text is shown once, nobody gives away what he does not hold."""

import re

import pytest
from django.contrib.auth.models import Permission

from orchestration.access.api_keys import create_key
from orchestration.access.principals import ANYBODY
from orchestration.models import ApiKey

pytestmark = pytest.mark.django_db
KEYS = "/admin/orchestration/apikey/"


def make(client, **given):
    body = {"name": "shop", "permissions": ["tasks:read"], "namespaces": "billing", "reason": "r"}
    return client.post(f"{KEYS}new/", {**body, **given})


def test_the_text_of_a_key_is_shown_once(boss):
    answer = make(boss, days="90")

    (text,) = re.findall(r'id="tk-key">([^<]+)<', answer.content.decode())
    key = ApiKey.objects.get()
    assert text.startswith(f"tsk_{key.prefix}_")
    assert "no-store" in answer["Cache-Control"]
    assert (key.permissions, key.namespaces, key.created_by) == (
        ["tasks:read"],
        ["billing"],
        "user:ann",
    )
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).days in (89, 90)
    listed = boss.get(KEYS).content.decode()
    assert text not in listed
    assert f"tsk_{key.prefix}_…" in listed


@pytest.mark.parametrize(
    "given",
    [{"permissions": []}, {"permissions": ["root"]}, {"namespaces": "Bad-Name"}, {"name": ""}],
)
def test_a_key_that_makes_no_sense_is_not_made(boss, given):
    answer = make(boss, **given)

    assert answer.status_code == 200
    assert ApiKey.objects.count() == 0
    assert "errorlist" in answer.content.decode()


def key_person(grant, *codenames: str):
    user = grant(*codenames, namespaces=("billing",))
    names = ("view_apikey", "add_apikey", "change_apikey")
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    return user


def test_nobody_gives_away_what_he_does_not_hold(client, grant):
    client.force_login(key_person(grant, "tasks_read"))
    offered = client.get(f"{KEYS}new/").content.decode()

    too_much = make(client, permissions=["tasks:cancel"])
    too_far = make(client, namespaces="*")
    fine = make(client)

    assert 'value="tasks:read"' in offered
    assert 'value="tasks:cancel"' not in offered
    assert 'value="*"' not in offered.partition("namespaces")[0]
    assert "not one of the available choices" in too_much.content.decode()
    assert "outside of its own scope" in too_far.content.decode()
    assert "tk-key" in fine.content.decode()
    assert ApiKey.objects.count() == 1


def test_keys_need_django_s_permissions(role):
    made = create_key(name="x", permissions=["*"], namespaces=[], granted_by=ANYBODY)
    client = role("admin")

    paths = (KEYS, f"{KEYS}new/", f"{KEYS}{made.key.prefix}/revoke/")

    assert {client.get(path).status_code for path in paths} == {403}
    assert make(client).status_code == 403
    assert client.post(f"{KEYS}{made.key.prefix}/revoke/", {"reason": "r"}).status_code == 403
    made.key.refresh_from_db()
    assert made.key.revoked_at is None


def test_a_key_is_revoked_and_its_expiry_set(boss):
    made = create_key(name="x", permissions=["*"], namespaces=[], granted_by=ANYBODY)
    path = f"{KEYS}{made.key.prefix}"

    boss.post(f"{path}/expire/", {"reason": "rotation", "days": "7"})
    made.key.refresh_from_db()
    expires = made.key.expires_at
    boss.post(f"{path}/expire/", {"reason": "not yet", "days": ""})
    made.key.refresh_from_db()
    never = made.key.expires_at
    boss.post(f"{path}/revoke/", {"reason": "lost"})
    again = boss.post(f"{path}/revoke/", {"reason": "lost"}).content.decode()

    made.key.refresh_from_db()
    assert expires is not None
    assert never is None
    assert (made.key.state, made.key.revoked_by) == ("revoked", "user:ann")
    assert "it is revoked already" in again
    assert boss.get(f"{KEYS}nonsense/revoke/").status_code == 404
    assert f"{path}/revoke/" not in boss.get(KEYS).content.decode()
