"""Run the stand-ins alone, each on its own port: `python -m local.standins --plex-port 3002`."""

import argparse
import asyncio
import signal

from local import standins
from local.standins import Ports

_NAMES = {"plex": "plex.tv", "tmdb": "TMDB", "radarr": "Radarr", "sonarr": "Sonarr"}


async def run(host: str, ports: Ports) -> None:
    """Serve until SIGINT or SIGTERM."""
    running = await standins.start(host, ports)
    for name, title in _NAMES.items():
        print(f"stand-in for {title:8} {getattr(running, f'{name}_url')}", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await running.stop()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.standins", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    for port, name in enumerate(_NAMES, 3002):
        parser.add_argument(
            f"--{name}-port",
            type=int,
            default=port,
            help="0 picks a free one (default: %(default)s)",
        )
    options = parser.parse_args()
    ports = Ports(*(getattr(options, f"{name}_port") for name in _NAMES))
    asyncio.run(run(options.host, ports))


if __name__ == "__main__":
    main()
