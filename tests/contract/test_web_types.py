"""The page's types of the API come from the present API document."""

import json
import re

from tests.support.api import ROOT
from tools.web import types


def test_types_come_from_the_present_document() -> None:
    assert types.TYPES.read_text().startswith(types.header()), "run `make docs`"


def test_every_operation_and_schema_has_a_type() -> None:
    text = types.TYPES.read_text()
    document = json.loads((ROOT / "functions/health/openapi.json").read_text())
    operations = [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    ]
    assert len(operations) > 20
    for name in [*operations, *document["components"]["schemas"]]:
        assert re.search(rf"^    +{name}: ", text, re.MULTILINE), name
