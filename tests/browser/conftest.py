"""A real browser on a real server of the admin; skipped where there is no Chromium, but not in CI.

Screenshots go to the folder that SCREENSHOTS_FOLDER names, nowhere without it.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PASSWORD = "correct horse battery staple"  # noqa: S105 of a user that lives for one test
LONGEST_WAIT_MS = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium for the tests of a module."""
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{CHROMIUM} is missing (Debian: apt install chromium)")
        pytest.skip(f"{CHROMIUM} is missing (Debian: apt install chromium)")
    # playwright keeps an event loop in this thread; without this Django refuses its database there
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield started
        started.close()


class Visit:
    """One person at one browser: what was asked of other hosts, and what scripts complained of."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        page.set_default_timeout(LONGEST_WAIT_MS)
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._refuse)

    def _refuse(self, dialog: object) -> None:
        self.complaints.append(f"a dialog opened: {dialog}")

    def go(self, path: str) -> Page:
        """Open a page and wait until it is drawn."""
        answer = self.page.goto(f"{self.address}{path}")
        assert answer is not None
        assert answer.status < 400, (path, answer.status)
        self.page.wait_for_load_state("load")
        return self.page

    def sign_in(self, name: str, password: str = PASSWORD) -> Page:
        """Sign in through the form."""
        page = self.go("/admin/")
        page.fill("input[name=username]", name)
        page.fill("input[name=password]", password)
        page.click("button[type=submit]")
        page.wait_for_selector("#nav-sidebar, #nav-sidebar-apps")
        return page

    def shot(self, name: str) -> None:
        """See that nothing sticks out of the page; keep a picture of it where one is wanted."""
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(wide) <= 1, self.page.url
        folder = os.environ.get("SCREENSHOTS_FOLDER")
        if not folder:
            return
        for theme in ("light", "dark"):
            self.page.evaluate(
                f"document.documentElement.classList.remove('light', 'dark');"
                f"document.documentElement.classList.add('{theme}')"
            )
            path = Path(folder) / f"{name}-{theme}.png"
            self.page.screenshot(path=path, full_page=True)

    def assert_clean(self) -> None:
        """Nothing was asked of another host, and no script failed or was smuggled in."""
        assert self.hosts == {urlsplit(self.address).netloc}, self.hosts
        assert self.complaints == []


@pytest.fixture
def visit(browser: Browser, live_server: object) -> Iterator[Visit]:
    """Return a browser window of its own on the admin."""
    window = browser.new_context(viewport={"width": 1440, "height": 900})
    visit = Visit(window.new_page(), str(live_server))
    yield visit
    window.close()


@pytest.fixture
def person(transactional_db: None, settings: Any) -> Callable[..., User]:
    """Return a function that makes somebody who can sign in; quickly, with a cheap hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    def make(name: str = "ann", *, is_superuser: bool = True) -> User:
        return User.objects.create_user(
            name, password=PASSWORD, is_staff=True, is_superuser=is_superuser
        )

    return make
