"""The effective quota: that of the user, or that of the role."""

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
    user_quotas=st.none() | st.dictionaries(st.sampled_from(["movies", "seasons"]), QUOTAS),
    role_quotas=st.fixed_dictionaries({role: st.builds(Quotas, QUOTAS, QUOTAS) for role in ROLES}),
)
def test_the_quota_of_a_user_overrides_that_of_the_role(
    role: Role,
    kind: QuotaKind,
    user_quotas: dict[str, Quota] | None,
    role_quotas: dict[Role, Quotas],
) -> None:
    row: Any = (
        None if user_quotas is None else {name: asdict(user_quotas[name]) for name in user_quotas}
    )
    actor = Actor(role, row)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(system_config, "quotas", role_quotas.__getitem__)
        effective = quotas.of(actor, kind)
    if user_quotas is not None and kind in user_quotas:
        assert effective == user_quotas[kind]
    else:
        assert effective == getattr(role_quotas[role], kind)
    assert (None if actor.quota is None else actor.quota.to_json()) == row
