"""`python -m local` without API Gateway's throttles, for tests that call at full speed."""

import sys
from functools import partial
from unittest import mock

from local import __main__ as command
from local.service import running

with mock.patch.object(command, "running", partial(running, throttles=False)):
    sys.exit(command.main())
