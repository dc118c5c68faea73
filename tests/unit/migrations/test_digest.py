"""The digest of its properties changes the id of a stack's resource when a setting changes."""

from medianest.migrations.deployment import digest

PROPERTIES = {"ServiceToken": "arn", "Settings": ["production", "INFO"], "Hosts": ["db"]}


def test_the_digest_ignores_the_order_of_properties() -> None:
    turned = dict(reversed(PROPERTIES.items()))
    assert digest(turned) == digest(PROPERTIES)
    assert len(digest(PROPERTIES)) == 16


def test_the_digest_changes_with_a_property_and_not_with_the_functions_address() -> None:
    assert digest({**PROPERTIES, "Settings": ["production", "DEBUG"]}) != digest(PROPERTIES)
    assert digest({**PROPERTIES, "ServiceToken": "another"}) == digest(PROPERTIES)
