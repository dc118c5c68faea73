"""The CloudFront functions of the template, which are JavaScript, in Python.

`tests/unit/test_viewer_functions.py` holds both to the same cases.
"""

import re
from collections.abc import Callable, Mapping

type ViewerFunction = Callable[[str], str | None]

_IMAGE = re.compile(
    r"/images(/t/p/w(92|154|185|342|500|780|1280)/[A-Za-z0-9_-]+\.(jpg|png|svg))", re.ASCII
)


def page_path(path: str) -> str:
    """Return index.html for a path without a file name."""
    return "/index.html" if path.rfind(".") < path.rfind("/") else path


def image_path(path: str) -> str | None:
    """Return the path at the image host; None for anything but an image of a known size."""
    match = _IMAGE.fullmatch(path)
    return match and match[1]


def api_path(path: str) -> str:
    """Return the path unchanged: the function only adds headers, which nothing believes here."""
    return path


VIEWER_FUNCTIONS: Mapping[str, ViewerFunction] = {
    "ApiRouting": api_path,
    "ImageRouting": image_path,
    "PageRouting": page_path,
}
