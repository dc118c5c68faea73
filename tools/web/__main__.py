"""Write the files of the page that come from packages or from the API document, and lint it."""

import argparse

from tools.web import lint, node, types, vendor

COMMANDS = {
    "lint": lint.run,
    "lock": node.lock_all,
    "types": types.write,
    "vendor": vendor.write,
}

parser = argparse.ArgumentParser(prog="python -m tools.web", description=__doc__)
parser.add_argument("command", choices=COMMANDS)
COMMANDS[parser.parse_args().command]()
