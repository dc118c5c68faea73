"""Run MediaNest on this machine: `python -m local [run | fire | invoke | reset]`."""

import argparse
import ast
import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from local import terminal
from local.control import ControlError, send_command
from local.engines.errors import EngineError
from local.preflight import StartError
from local.reset import remove_data
from local.run_config import DEFAULT_DATA, PROJECT, RunConfig, port_number, read_run_config
from local.service import Service, running
from local.template.loader import TemplateError
from local.template.models import Function, Template
from local.template.reader import read_template
from local.terminal import say
from medianest.core.environment import ConfigurationError

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run the command and return the exit code."""
    try:
        return _run_command(_parse())
    except ConfigurationError as error:
        print("Invalid settings:", *error.problems, sep="\n  ", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except (ControlError, OSError, EngineError, StartError, TemplateError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


def _run_command(options: argparse.Namespace) -> int:
    match options.command:
        case "fire":
            known = _schedules(_template())
            if options.name not in known:
                return _list("schedule", "make fire SCHEDULE=NAME", options.name, known)
            return _print_result(send_command(options.data, "schedules", options.name))
        case "invoke":
            known = _functions(_template())
            if options.name not in known:
                usage = "python -m local invoke NAME EVENT.json; events/ has samples"
                return _list("function", usage, options.name, known)
            return _print_result(
                send_command(options.data, "functions", options.name, _event(options.event))
            )
        case "reset":
            return _reset(options.data)
        case _:
            config = read_run_config(data=options.data, port=options.port)
            return asyncio.run(_run(config, trial_limits=options.trial_limits))


def _parse() -> argparse.Namespace:
    # Options may come before or after the command.
    data = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    data.add_argument("--data", type=Path, help="data folder (default: .local)")
    run = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    run.add_argument(
        "--port",
        type=_port,
        metavar="PORT",
        help="port of the API; 0 picks a free one (default: 3001)",
    )
    run.add_argument(
        "--trial-limits",
        action="store_true",
        help="raise the sign-in limits, unless the database is external or has limits of its own",
    )
    parser = argparse.ArgumentParser(
        prog="python -m local", description=__doc__, parents=[data, run]
    )
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("run", help="run the service (the default)", parents=[data, run])
    fire = commands.add_parser(
        "fire",
        help="trigger a schedule of the running service; without a name, list the schedules",
        parents=[data],
    )
    fire.add_argument("name", metavar="SCHEDULE", nargs="?")
    commands.add_parser(
        "reset", help="remove the local data; the service must be stopped", parents=[data]
    )
    invoke = commands.add_parser(
        "invoke",
        help="invoke a function of the running service; without a name, list the functions",
        parents=[data],
    )
    invoke.add_argument("name", metavar="FUNCTION", nargs="?")
    invoke.add_argument("event", type=Path, metavar="EVENT.json", nargs="?")
    # Set here because the defaults of a command would overwrite options in front of it.
    defaults = argparse.Namespace(command="run", data=DEFAULT_DATA, port=None, trial_limits=False)
    return parser.parse_args(namespace=defaults)


def _port(value: str) -> int:
    try:
        return port_number(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _template() -> Template:
    return read_template(PROJECT / "template.yaml", opt=PROJECT / ".venv" / "opt")


def _schedules(template: Template) -> dict[str, str]:
    return {
        name: f"{schedule.description}, {schedule.expression}"
        for name, schedule in template.schedules.items()
    }


def _functions(template: Template) -> dict[str, str]:
    return {name: _about(function) for name, function in template.functions.items()}


def _about(function: Function) -> str:
    """Return the first line of a function's module docstring."""
    module = function.code / f"{function.handler.partition('.')[0]}.py"
    try:
        text = ast.get_docstring(ast.parse(module.read_bytes())) or ""
    except SyntaxError as error:  # an edit that is not finished
        return f"{module.name} has an error in line {error.lineno}"
    return text.partition("\n")[0].rstrip(".")


def _list(kind: str, usage: str, name: str | None, known: Mapping[str, str]) -> int:
    """Print the known names: to stdout without a name, to stderr for an unknown one."""
    width = max(map(len, known))
    lines = [f"  {each:{width}}  {about}" for each, about in sorted(known.items())]
    if name is None:
        print(f"{kind.capitalize()}s ({usage}):", *lines, sep="\n")
        return 0
    print(f"Unknown {kind} {name}. Known {kind}s:", *lines, sep="\n", file=sys.stderr)
    return 1


def _event(path: Path | None) -> object:
    if path is None:
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None


def _reset(data: Path) -> int:
    remove_data(data)
    print(f"Removed the data in {data}")
    return 0


def _print_result(result: dict[str, object]) -> int:
    print(json.dumps(result["payload"], indent=2))
    return 1 if result["error"] else 0


async def _run(config: RunConfig, *, trial_limits: bool) -> int:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    is_stopping = False

    def stop(number: int) -> None:
        nonlocal is_stopping
        if number == signal.SIGHUP:  # the terminal has closed
            terminal.leave()
        if not is_stopping and task is not None:  # a second signal does not interrupt the shutdown
            is_stopping = True
            task.cancel()
            say("\nStopping …")

    for number in _STOP_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            loop.add_signal_handler(number, stop, number)
    say("Starting MediaNest")
    try:
        async with running(config, report=say, trial_limits=trial_limits) as service:
            say(_welcome(service))
            await service.wait()
    except asyncio.CancelledError:
        if not is_stopping:
            raise
    say("Stopped.")
    return 0


def _welcome(service: Service) -> str:
    config = service.config
    plex_url, tmdb_url = service.backends.plex_url, service.backends.tmdb_url
    plex = f"a stand-in at {plex_url}" if plex_url else config.validated.plex_api_url
    tmdb = f"a stand-in at {tmdb_url}" if tmdb_url else config.validated.tmdb_api_url
    standin = f" PLEX={plex_url}" if plex_url else ""
    servers = "".join(
        f"\n  {name:9} a stand-in at {url}"
        for name, url in (
            ("Radarr", service.backends.radarr_url),
            ("Sonarr", service.backends.sonarr_url),
        )
        if url
    )
    return f"""
MediaNest is ready at {service.url}

  plex.tv   {plex}
  TMDB      {tmdb}{servers}
  Data      {service.config.data}

  Page      {service.url}/
  API       {service.url}/api/docs describes every route and can call it
  Try       curl {service.url}/api/health
            Then follow the README: sign in, search, request. First set its variables:
            API={service.url}{standin}
  Stop      Ctrl-C
"""


if __name__ == "__main__":
    sys.exit(main())
