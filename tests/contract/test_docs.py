"""The pages made from the code are the code's."""

import pytest

from local.config import PROJECT
from local.docs import PAGES


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_is_up_to_date(name: str) -> None:
    assert (PROJECT / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"
