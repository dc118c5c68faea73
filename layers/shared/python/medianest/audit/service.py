"""Audit rows of what did not happen, and so has no transaction of its own."""

from medianest.audit import repository
from medianest.audit.models import Action
from medianest.core.caller import Caller, Principal
from medianest.core.db import database


def record_denial(principal: Principal, caller: Caller) -> None:
    """Note that somebody asked for what only admins may; the admin limit bounds how often."""
    with database().transaction() as connection:
        repository.record(
            connection,
            Action.ACCESS_DENIED,
            caller,
            user_id=principal.user_id,
            target=("session", principal.session_id),
        )
