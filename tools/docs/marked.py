"""Replace the generated part of a file, between two marks; the rest is written by hand."""


def with_part(text: str, name: str, part: str) -> str:
    """Return a text with the part between the marks `NAME:begin` and `NAME:end` replaced.

    The marks are comments on separate lines. Raises ValueError unless each mark occurs once.
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
