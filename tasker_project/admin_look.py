"""How the admin of this project looks: unfold's settings, without a request to another host.

What the sidebar offers depends on who looks; `orchestration.admin.navigation` decides that.
"""

from typing import Any

from django.templatetags.static import static

# The shades of the one colour that buttons, links and the chosen page have.
TEAL = {
    "50": "#effcf9",
    "100": "#c9f7ec",
    "200": "#93eeda",
    "300": "#56dcc4",
    "400": "#27c1aa",
    "500": "#0fa48f",
    "600": "#0b8274",
    "700": "#0d685f",
    "800": "#10534d",
    "900": "#124541",
    "950": "#032a28",
}
ICON = "orchestration/icon.svg"
BADGES = {"production": "danger", "development": "success", "test": "info"}


def unfold_settings(environment: str) -> dict[str, Any]:
    """Return the setting UNFOLD for an environment, which every page names."""
    return {
        "SITE_TITLE": "Tasker",
        "SITE_HEADER": "Tasker",
        "SITE_SUBHEADER": "Workflow orchestration",
        "SITE_SYMBOL": "account_tree",
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: static(ICON)}],
        "STYLES": [lambda _: static("orchestration/admin.css")],
        "SITE_URL": None,
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": False,
        "ENVIRONMENT": [environment.capitalize(), BADGES.get(environment, "info")],
        "BORDER_RADIUS": "6px",
        "COLORS": {"primary": TEAL},
        "DASHBOARD_CALLBACK": "orchestration.admin.dashboard.index_context",
        "SIDEBAR": {"navigation": "orchestration.admin.navigation.sidebar"},
    }
