"""The effective quota of a user, from the user's and the role's settings."""

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.requests import quotas
from medianest.system_config import service as system_config
from medianest.system_config.models import Quotas
from medianest.users.models import QUOTA_KINDS, Actor, Quota, QuotaKind, Role

QUOTAS = st.builds(Quota, st.none() | st.integers(0, 1000), st.integers(1, 365))
ROLES: tuple[Role, ...] = ("admin", "user")


@given(
    role=st.sampled_from(ROLES),
    kind=st.sampled_from(QUOTA_KINDS),
    own=st.none() | st.dictionaries(st.sampled_from(["movies", "seasons"]), QUOTAS),
    of_roles=st.fixed_dictionaries({role: st.builds(Quotas, QUOTAS, QUOTAS) for role in ROLES}),
)
def test_a_users_own_quota_overrides_the_roles(
    role: Role, kind: QuotaKind, own: dict[str, Quota] | None, of_roles: dict[Role, Quotas]
) -> None:
    row: Any = None if own is None else {name: asdict(own[name]) for name in own}
    actor = Actor(role, row)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(system_config, "quotas", of_roles.__getitem__)
        found = quotas.of(actor, kind)
    if own is not None and kind in own:
        assert found == own[kind]
    else:
        assert found == getattr(of_roles[role], kind)
    assert (None if actor.quota is None else actor.quota.to_json()) == row
