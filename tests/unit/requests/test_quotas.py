"""The effective quota of a user, from the user's and the role's settings."""

from dataclasses import asdict
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.requests import quotas
from medianest.requests.models import QuotaKind
from medianest.system_config import service as system_config
from medianest.system_config.models import Quotas
from medianest.users.models import Actor, OwnQuotas, Quota, Role

QUOTAS = st.builds(Quota, st.none() | st.integers(0, 1000), st.integers(1, 365))
KINDS: tuple[QuotaKind, ...] = ("movies", "seasons")
ROLES: tuple[Role, ...] = ("admin", "user")


@given(
    role=st.sampled_from(ROLES),
    kind=st.sampled_from(KINDS),
    own=st.none() | st.dictionaries(st.sampled_from(["movies", "seasons"]), QUOTAS),
    of_roles=st.fixed_dictionaries({role: st.builds(Quotas, QUOTAS, QUOTAS) for role in ROLES}),
)
def test_ones_own_goes_before_the_roles(
    role: Role, kind: QuotaKind, own: dict[str, Quota] | None, of_roles: dict[Role, Quotas]
) -> None:
    row = None if own is None else cast("OwnQuotas", {name: asdict(own[name]) for name in own})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(system_config, "quotas", of_roles.__getitem__)
        found = quotas.of(Actor(role, row), kind)
    if own is not None and kind in own:
        assert found == own[kind]
    else:
        assert found == getattr(of_roles[role], kind)
