"""`python -m local` with the default concurrency limits of template.yaml."""

import sys
from unittest import mock

from local import __main__ as command
from local import service

with mock.patch.object(service, "_UNRESERVED", {}):
    sys.exit(command.main())
