"""Write the files of the page that come from packages or from the API document, and lint it."""

import sys

from tools.web import lint, node, types, vendor

COMMANDS = {
    "lint": lint.run,
    "lock": node.lock_all,
    "types": types.write,
    "vendor": vendor.write,
}

if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:  # noqa: PLR2004 - the name of a command
    sys.exit(f"usage: python -m tools.web {{{','.join(COMMANDS)}}}")
COMMANDS[sys.argv[1]]()
