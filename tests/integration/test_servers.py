"""Admins list the servers that fetch titles."""

from typing import Any

import psycopg

from tests.support.api import call

type Db = psycopg.Connection[tuple[Any, ...]]

SERVERS = "/api/admin/servers"


class TestList:
    def test_servers_are_sorted_by_name_and_have_no_secret(
        self, db: Db, people: dict[str, str]
    ) -> None:
        db.execute(
            "INSERT INTO download_servers (kind, name, base_url, secret_enc, secret_hint)"
            " VALUES ('sonarr', 'Shows', 'https://sonarr.example', NULL, NULL), ('radarr', 'films',"
            " 'https://radarr.example', 'cipher-text', '{\"last4\": \"9f3c\", \"headers\": []}')"
        )
        listed = call("GET", SERVERS, token=people["alice"])
        assert "cipher-text" not in listed.text
        films, shows = listed.data
        assert (films["name"], films["hasKey"], films["keyLast4"]) == ("films", True, "9f3c")
        assert (shows["name"], shows["hasKey"], "keyLast4" in shows) == ("Shows", False, False)
        assert films["state"] == "unknown"

    def test_users_may_not_read_servers(self, people: dict[str, str]) -> None:
        assert call("GET", SERVERS, token=people["bob"]).code == "FORBIDDEN"
