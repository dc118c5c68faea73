"""The servers and players that an account can reach."""

import secrets
from collections.abc import Mapping
from typing import Any

from local.standins.plex.people import Person

SERVER_ID = "6d0c94f3b0f1d8b7a5e2c9104f7e3a86b1d25c07"


def describe_resources(
    person: Person, owner: Person, server_id: str, query: Mapping[str, str]
) -> list[dict[str, Any]]:
    """List a player, an unrelated server, and our server if the person can access it.

    The first two expose a client that mistakes "has a server" for "can access our server".
    """
    resources = [
        resource(f"{person.username}'s phone", f"phone-{person.id}", "client,player", query),
        resource(f"{person.username}'s own server", f"server-{person.id}", "server", query),
    ]
    if person.reaches_server:
        media_server = resource("MediaNest stand-in", server_id, "server", query)
        media_server["owned"] = person is owner
        media_server["home"] = person.is_home_user
        media_server["ownerId"] = None if person is owner else owner.id
        media_server["sourceTitle"] = None if person is owner else owner.username
        resources.append(media_server)
    return resources


def resource(name: str, client_id: str, provides: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return one device as plex.tv does; 192.0.2.0/24 is reserved for documentation."""
    is_server = provides == "server"
    scheme = "https" if query.get("includeHttps") == "1" else "http"
    addresses = [("192.0.2.10", 32400, False)] if is_server else []
    if is_server and query.get("includeRelay") == "1":
        addresses.append(("192.0.2.99", 8443, True))
    return {
        "name": name,
        "product": "Plex Media Server" if is_server else "Plex for Android",
        "productVersion": "1.43.0.0",
        "platform": "Linux" if is_server else "Android",
        "platformVersion": "",
        "device": "PC" if is_server else "Phone",
        "clientIdentifier": client_id,
        "createdAt": "2024-01-01T00:00:00Z",
        "lastSeenAt": "2026-01-01T00:00:00Z",
        "provides": provides,
        "ownerId": None,
        "sourceTitle": None,
        "publicAddress": "192.0.2.1",
        "accessToken": secrets.token_urlsafe(15) if is_server else None,
        "owned": True,
        "home": False,
        "synced": False,
        "relay": True,
        "presence": True,
        "httpsRequired": False,
        "publicAddressMatches": False,
        "dnsRebindingProtection": False,
        "natLoopbackSupported": False,
        "connections": [
            {
                "protocol": scheme,
                "address": address,
                "port": port,
                "uri": f"{scheme}://{address}:{port}",
                "local": not relayed,
                "relay": relayed,
                "IPv6": False,
            }
            for address, port, relayed in addresses
        ],
    }
