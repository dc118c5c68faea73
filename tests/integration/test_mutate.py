"""Mutations of template.yaml are noticed: all with `make mutate`, here one and a harmless edit."""

from tests.mutate.__main__ import CHECKS, mutate, noticed_by
from tests.mutate.mutations import MUTATIONS, Mutation
from tests.support.api import ROOT

# A number that is wrong only beside others, so no linter notices it.
TITLE = "a bell comes again while it rings"
# Tests of the template that need no translation of it, since each run starts on a new copy.
NOTICES = "tests/integration/test_local_queue_settings.py"
HARMLESS = Mutation(
    *("a comment", "# Two availability zones.", "# Two zones.", "tests/contract/test_events.py")
)


def test_every_mutation_changes_the_template() -> None:
    template = (ROOT / "template.yaml").read_text()
    for mutation in MUTATIONS:
        assert mutate(template, mutation) != template, mutation.title
    assert len({each.title for each in MUTATIONS}) == len(MUTATIONS) >= 56


def test_every_check_exists() -> None:
    assert NOTICES in CHECKS
    assert [each for each in CHECKS if not (ROOT / each).exists()] == []


# `make mutate` tries all of them, each week.
def test_a_mutation_is_noticed() -> None:
    [mutation] = [each for each in MUTATIONS if each.title == TITLE]
    noticed = noticed_by(mutation._replace(test=NOTICES), lint=False)
    assert noticed is not None
    assert noticed.startswith(NOTICES)


def test_a_harmless_edit_survives() -> None:
    # `make lint` runs cfn-lint on the template.
    assert noticed_by(HARMLESS, lint=False) is None
