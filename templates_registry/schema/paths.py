"""Places inside a template: tuples of keys and positions, and how a person reads them."""

Location = tuple[str | int, ...]


def path_text(location: Location) -> str:
    """Return `("steps", 2, "retry")` as `steps[2].retry`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def step_index(location: Location) -> int | None:
    """Return which entry of the template's `steps` a place belongs to, if any."""
    if len(location) > 1 and location[0] == "steps" and isinstance(location[1], int):
        return location[1]
    return None
