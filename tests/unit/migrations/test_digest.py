"""The digest of the properties of a custom resource changes with each setting."""

from medianest.migrations.deployment import digest

PROPERTIES = {"ServiceToken": "arn", "Settings": ["production", "INFO"], "Hosts": ["db"]}


def test_the_digest_ignores_the_order_of_properties() -> None:
    reordered = dict(reversed(PROPERTIES.items()))
    assert digest(reordered) == digest(PROPERTIES)
    assert len(digest(PROPERTIES)) == 16


def test_the_digest_changes_with_a_property_but_not_with_the_arn_of_the_function() -> None:
    assert digest({**PROPERTIES, "Settings": ["production", "DEBUG"]}) != digest(PROPERTIES)
    assert digest({**PROPERTIES, "ServiceToken": "another"}) == digest(PROPERTIES)
