"""README's quick start of the admin, clicked word by word in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visit
from tests.quick_start import QuickStart, following_readme, section

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
# what is bold is clicked, what is `a` with `b` is filled in
STEP = re.compile(r"\*\*(?P<click>[^*]+)\*\*|`(?P<field>\w+)` with `(?P<value>[^`]+)`")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[QuickStart]:
    with following_readme(tmp_path) as followed:
        yield followed


def follow(visit: Visit, text: str) -> None:
    page = visit.page
    for step in STEP.finditer(text):
        if step["click"]:
            # the name of an icon goes before the words of a link
            name = re.compile(rf"(^|\s){re.escape(step['click'])}$")
            found = page.get_by_role("button", name=name)
            if not found.count():
                found = page.get_by_role("link", name=name)
            found.first.click()
            page.wait_for_load_state("load")
        else:
            page.fill(f"[name={step['field']}], [name=context_{step['field']}]", step["value"])


def test_the_admin_shows_what_readme_promises(browser: Browser, reader: QuickStart):
    address = reader.admin.removesuffix("/admin/")
    window = browser.new_context(viewport={"width": 1440, "height": 900})
    visit = Visit(window.new_page(), address)
    first, *others = re.split(r"^\d\. ", section("In the admin"), flags=re.MULTILINE)[1:]
    assert "sign in as `admin`" in first
    visit.sign_in("admin", reader.password)

    look, run, cancel = others
    follow(visit, look)
    follow(visit, run)
    visit.page.wait_for_selector("g[data-step=boil_water][data-state=error]")
    assert "Water does not get that hot" in visit.page.inner_text("body")
    follow(visit, cancel)

    visit.page.wait_for_selector("text=1 cancelled")
    visit.assert_clean()
    window.close()
