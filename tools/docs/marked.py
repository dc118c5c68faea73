"""Parts of a file that `make docs` writes, between two marks; people write the rest."""


def with_part(text: str, name: str, part: str) -> str:
    """Return a text with what is between its marks `NAME:begin` and `NAME:end` replaced.

    The marks are comments on lines of their own. Raises ValueError unless there is one pair.
    """
    lines = text.splitlines()
    marks = [
        number
        for number, line in enumerate(lines)
        if {f"{name}:begin", f"{name}:end"} & set(line.split())
    ]
    if len(marks) != 2:  # noqa: PLR2004 - a begin and an end
        raise ValueError(f"the marks {name}:begin and {name}:end must occur once each")
    begin, end = marks
    return "\n".join([*lines[: begin + 1], part.rstrip("\n"), *lines[end:], ""])
