"""Run the stand-ins alone: `python -m local.standins --plex-port 3002 --tmdb-port 3003`."""

import argparse
import asyncio
import signal

from local import standins


async def run(host: str, plex_port: int, tmdb_port: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    running = await standins.start(host, plex_port, tmdb_port)
    print(f"stand-in for plex.tv  {running.plex_url}")
    print(f"stand-in for TMDB     {running.tmdb_url}", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await running.stop()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.standins", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--plex-port", type=int, default=3002, help="0 picks a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--tmdb-port", type=int, default=3003, help="0 picks a free one (default: %(default)s)"
    )
    options = parser.parse_args()
    asyncio.run(run(options.host, options.plex_port, options.tmdb_port))


if __name__ == "__main__":
    main()
