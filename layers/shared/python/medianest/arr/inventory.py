"""The offer of a server: quality profiles, root folders and tags."""

from medianest.arr.client import ArrClient
from medianest.arr.models import ArrError, ArrKind, Inventory, Profile, RootFolder
from medianest.arr.tags import read_tags
from medianest.arr.wire import invalid, number, objects, text

_MAX_BYTES = 2**63 - 1


def read(client: ArrClient, kind: ArrKind) -> Inventory:
    """Read the inventory; raises ArrError, also when the address has another program."""
    return Inventory(
        read_version(client, kind), _profiles(client), _root_folders(client), read_tags(client)
    )


def read_version(client: ArrClient, kind: ArrKind) -> str:
    """Return the version of a server, in one call; raises ArrError when it is another program."""
    status = client.get("system/status")
    version = text(status.get("version")) if isinstance(status, dict) else None
    if version is None:
        raise invalid("system/status")
    program = text(status.get("appName"))
    # Radarr and Sonarr have had this field only since their versions 4.
    if program is not None and program.lower() != kind:
        message = f"The server is {program[:50]}, not {kind.capitalize()}"
        raise ArrError("misconfigured", "WRONG_PROGRAM", message)
    return version[:50]


def _profiles(client: ArrClient) -> tuple[Profile, ...]:
    return tuple(
        Profile(found, text(each.get("name")) or str(found))
        for each in objects(client.get("qualityprofile"), "qualityprofile")
        if (found := number(each.get("id")))
    )


def _root_folders(client: ArrClient) -> tuple[RootFolder, ...]:
    return tuple(
        RootFolder(
            path, number(each.get("freeSpace"), _MAX_BYTES), each.get("accessible") is not False
        )
        for each in objects(client.get("rootfolder"), "rootfolder")
        if (path := text(each.get("path")))
    )
