"""Run programs that refuse root, such as PostgreSQL."""

import functools
import os
import pwd
import shutil
import subprocess

from local.engines.errors import EngineError

_TIMEOUT = 30.0


@functools.cache
def not_root() -> list[str]:
    """Return the command prefix that drops root, empty for another user.

    In a user namespace the files stay root's. Where that is denied, as in many containers, the data
    is `nobody`'s, with a capability to pass parent directories that need not be opened to all then.
    """
    if os.geteuid():
        return []
    uid, gid = pwd.getpwnam("nobody")[2:4]
    allow = "caps=+dac_override"
    namespace = ["unshare", "--user", f"--map-user={uid}", f"--map-group={gid}"]
    nobody = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    for words in (namespace, [*nobody, f"--inh-{allow}", f"--ambient-{allow}"]):
        test = [*words, "true"]
        if shutil.which(words[0]) and not subprocess.call(  # noqa: S603 - our own words
            test, stderr=subprocess.DEVNULL, timeout=_TIMEOUT
        ):
            return words
    raise EngineError("PostgreSQL refuses to run as root: run this as another user")
