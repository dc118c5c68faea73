"""Run programs that refuse to run as root, such as PostgreSQL."""

import functools
import os
import pwd
import shutil
import subprocess

from local.engines.errors import EngineError

_TIMEOUT = 30.0


@functools.cache
def not_root() -> list[str]:
    """Return a command prefix that drops root privileges; empty if the user is not root.

    In a user namespace, root keeps owning the files. Where a namespace is denied, as in many
    containers, the user `nobody` owns them and gets a capability to enter private parent folders.
    """
    if os.geteuid():
        return []
    uid, gid = pwd.getpwnam("nobody")[2:4]
    allow = "caps=+dac_override"
    namespace = ["unshare", "--user", f"--map-user={uid}", f"--map-group={gid}"]
    nobody = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    for prefix in (namespace, [*nobody, f"--inh-{allow}", f"--ambient-{allow}"]):
        test = [*prefix, "true"]
        if shutil.which(prefix[0]) and not subprocess.call(  # noqa: S603 - no user input
            test, stderr=subprocess.DEVNULL, timeout=_TIMEOUT
        ):
            return prefix
    raise EngineError("PostgreSQL does not run as root: run this command as another user")
