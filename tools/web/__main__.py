"""Write the files of the page that come from packages or from the API document."""

import sys

from tools.web import node, types, vendor

COMMANDS = {"vendor": vendor.write, "types": types.write, "lock": node.lock_all}

if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:  # noqa: PLR2004 - the name of a command
    sys.exit(f"usage: python -m tools.web {{{','.join(COMMANDS)}}}")
COMMANDS[sys.argv[1]]()
