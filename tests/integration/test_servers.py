"""Admins manage the servers that fetch titles, over real HTTP to the stand-ins."""

import importlib
from typing import Any

import psycopg
import pytest

from local.standins.radarr.app import API_KEY
from medianest.core import encryption
from medianest.core.environment import ConfigurationError
from medianest.jobs import rounds
from medianest.servers import repository, service
from tests.support.api import Answer, call
from tests.support.arr import ArrStandin
from tests.support.rows import audited, count

type Db = psycopg.Connection[tuple[Any, ...]]

SERVERS = "/api/admin/servers"
KEY = "planted-0123456789abcdef-9f3c"
HEADERS = {"CF-Access-Client-Id": "planted-id", "Authorization": "Basic planted-secret"}
RADARR = {"kind": "radarr", "name": "Films", "baseUrl": "https://radarr.example", "apiKey": KEY}
SONARR = RADARR | {"kind": "sonarr", "name": "Shows"}
UNKNOWN_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"
INVENTORY = (
    '{"version": "5", "profiles": [{"id": 4, "name": "HD"}], "tags": [],'
    ' "rootFolders": [{"path": "/media/films", "accessible": true}]}'
)


@pytest.fixture
def admin(people: dict[str, str]) -> str:
    return people["alice"]


def add(token: str, body: dict[str, Any] = RADARR, **fields: Any) -> Answer:
    return call("POST", SERVERS, token=token, body=body | fields)


def change(token: str, server: str, **fields: Any) -> Answer:
    return call("PATCH", f"/api/admin/servers/{server}", token=token, body=fields)


def read(token: str, server: str) -> Any:
    return call("GET", f"/api/admin/servers/{server}", token=token).data


def probe(token: str, server: str) -> Any:
    return call("POST", f"/api/admin/servers/{server}/test", token=token).data


def problems(answer: Answer) -> list[str]:
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), answer.text
    return [each["field"] for each in answer.details]


def secret(db: Db, server: str) -> Any:
    token = db.execute(
        "SELECT secret_enc FROM download_servers WHERE id = %s", (server,)
    ).fetchone()
    assert token is not None
    return token[0]


class TestAdd:
    def test_a_server_is_added_and_its_inventory_becomes_due(self, db: Db, admin: str) -> None:
        added = add(admin, headers=HEADERS, isDefault=True)
        assert added.status == 201
        expected = {"state": "unknown", "hasKey": True, "keyLast4": "9f3c", "isDefault": True}
        assert added.data.items() >= expected.items()
        assert added.data["headerNames"] == sorted(HEADERS)
        assert read(admin, added.data["id"]) == added.data
        assert count(db, "jobs WHERE kind = 'inventory' AND state = 'queued'") == 1

    def test_no_response_row_or_audit_entry_has_the_secret(self, db: Db, admin: str) -> None:
        added = add(admin, headers=HEADERS)
        server = added.data["id"]
        changed = change(admin, server, name="x", headers={"X-Door": "planted-door"})
        listed = call("GET", SERVERS, token=admin)
        logs = call("GET", "/api/admin/audit-logs", token=admin)
        rows = db.execute("SELECT download_servers::text FROM download_servers").fetchall()
        jobs = db.execute("SELECT jobs::text FROM jobs").fetchall()
        texts = [added.text, changed.text, listed.text, logs.text, str(rows), str(jobs)]
        assert not any("planted" in text for text in texts)

    def test_a_bad_address_is_refused_and_a_good_one_is_normalised(self, admin: str) -> None:
        for bad in ("https://169.254.169.254", "ftp://a.example", "https://u:p@a.example"):
            assert problems(add(admin, baseUrl=bad)) == ["body.baseUrl"]
        assert (
            add(admin, baseUrl="https://A.Example:443/r/").data["baseUrl"] == "https://a.example/r"
        )

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"apiKey": "short"}, "body.apiKey"),
            ({"apiKey": "line\nbreak-0123456789"}, "body.apiKey"),
            ({"headers": {"Host": "x"}}, "body.headers"),
            ({"headers": {"X-A": "b\r\nc"}}, "body.headers"),
            ({"headers": {"X-A": "b "}}, "body.headers"),
            ({"headers": {"X-A": "b\tc"}}, "body.headers"),
            ({"headers": {f"X-{n}": "v" for n in range(6)}}, "body.headers"),
            ({"options": {"tags": ["No Label"]}}, "body.options.tags.0"),
            ({"options": {"seriesType": "anime"}}, "body.options.seriesType"),
            ({"name": " "}, "body.name"),
        ],
    )
    def test_an_invalid_field_is_named(
        self, admin: str, fields: dict[str, Any], field: str
    ) -> None:
        assert problems(add(admin, **fields)) == [field]

    def test_a_name_is_unique(self, admin: str) -> None:
        add(admin)
        assert problems(add(admin)) == ["body.name"]

    def test_there_are_ten_servers_at_most(self, admin: str) -> None:
        for number in range(service.MAX_SERVERS):
            assert add(admin, name=f"n{number}").status == 201
        assert problems(add(admin, name="one more")) == ["body"]

    def test_users_may_not_read_servers(self, people: dict[str, str]) -> None:
        assert call("GET", SERVERS, token=people["bob"]).code == "FORBIDDEN"


class TestChange:
    def test_another_address_removes_the_key(self, db: Db, admin: str) -> None:
        server = add(admin, headers=HEADERS).data["id"]
        moved = change(admin, server, baseUrl="https://evil.example").data
        assert (moved["hasKey"], moved["headerNames"]) == (False, [])
        assert (moved["state"], moved["error"]["code"]) == ("misconfigured", "KEY_MISSING")
        assert secret(db, server) is None
        assert probe(admin, server)["error"]["code"] == "KEY_MISSING"
        fixed = change(admin, server, apiKey=KEY).data
        assert (fixed["hasKey"], fixed["state"]) == (True, "unknown")

    def test_a_new_key_with_a_new_address_does_not_bring_old_headers(self, admin: str) -> None:
        server = add(admin, headers=HEADERS).data["id"]
        moved = change(admin, server, baseUrl="https://b.example", apiKey="another-key-0000").data
        assert (moved["keyLast4"], moved["headerNames"], moved["state"]) == ("0000", [], "unknown")

    def test_the_same_address_in_another_form_keeps_the_key(self, admin: str) -> None:
        server = add(admin).data["id"]
        assert change(admin, server, baseUrl="HTTPS://Radarr.Example:443/").data["hasKey"]

    def test_new_headers_keep_the_key_and_a_new_key_keeps_the_headers(self, admin: str) -> None:
        server = add(admin).data["id"]
        assert change(admin, server, headers=HEADERS).data["keyLast4"] == "9f3c"
        changed = change(admin, server, apiKey="another-key-0000").data
        assert (changed["keyLast4"], changed["headerNames"]) == ("0000", sorted(HEADERS))
        assert change(admin, server, headers={}).data["headerNames"] == []

    def test_headers_for_a_new_address_need_a_key(self, admin: str) -> None:
        server = add(admin).data["id"]
        answer = change(admin, server, baseUrl="https://b.example", headers=HEADERS)
        assert problems(answer) == ["body.apiKey"]
        assert read(admin, server)["baseUrl"] == "https://radarr.example"

    def test_each_kind_has_one_default(self, admin: str) -> None:
        first = add(admin, isDefault=True).data["id"]
        other = add(admin, SONARR, isDefault=True).data["id"]
        second = add(admin, name="4K").data["id"]
        assert change(admin, second, isDefault=True).data["isDefault"]
        assert [read(admin, each)["isDefault"] for each in (first, other)] == [False, True]

    def test_options_must_be_in_the_inventory(self, db: Db, admin: str) -> None:
        server = add(admin).data["id"]
        db.execute("UPDATE download_servers SET inventory = %s", (INVENTORY,))
        bad = {"qualityProfileId": 5, "rootFolderPath": "/media/other"}
        answer = change(admin, server, options=bad)
        assert problems(answer) == [f"body.options.{name}" for name in bad]
        good = {"qualityProfileId": 4, "rootFolderPath": "/media/films", "tags": ["new-tag"]}
        assert change(admin, server, options=good).data["options"] == good

    def test_a_change_frees_a_misconfigured_server(self, db: Db, admin: str) -> None:
        server = add(admin).data["id"]
        db.execute("UPDATE download_servers SET state = 'misconfigured', failures = 5")
        db.execute("UPDATE jobs SET run_at = now() + interval '1 day'")
        assert change(admin, server, name="New name").data["state"] == "misconfigured"
        assert change(admin, server, enabled=False).data["state"] == "unknown"
        assert change(admin, server, enabled=True).data["state"] == "unknown"
        assert count(db, "jobs WHERE run_at <= now()") == 1

    def test_changes_are_audited_without_the_secret(self, db: Db, admin: str) -> None:
        server = add(admin).data["id"]
        change(admin, server, name="New", apiKey="another-key-0000")
        change(admin, server, name="New")
        ((_, _, target, details),) = audited(db, "server.changed")
        assert (target, details) == (
            server,
            {"name": {"from": "Films", "to": "New"}, "apiKey": "changed"},
        )

    def test_an_unknown_server_is_not_found(self, admin: str) -> None:
        assert change(admin, UNKNOWN_ID, name="x").code == "NOT_FOUND"
        assert call("GET", f"/api/admin/servers/{UNKNOWN_ID}", token=admin).code == "NOT_FOUND"
        assert call("DELETE", f"/api/admin/servers/{UNKNOWN_ID}", token=admin).code == "NOT_FOUND"
        assert (
            call("POST", f"/api/admin/servers/{UNKNOWN_ID}/test", token=admin).code == "NOT_FOUND"
        )


class TestDelete:
    def test_a_server_with_open_titles_stays(self, db: Db, admin: str) -> None:
        server = add(admin).data["id"]
        request = call(
            "POST",
            "/api/media/request",
            token=admin,
            body={"mediaType": "movie", "tmdbId": 603},
        ).data["id"]
        db.execute(
            "INSERT INTO handovers (media_type, tmdb_id, server_id, submitted_at)"
            " VALUES ('movie', 603, %s, now())",
            (server,),
        )
        db.execute(
            "UPDATE request_items SET fulfilment = 'submitted' WHERE request_id = %s", (request,)
        )
        refused = call("DELETE", f"/api/admin/servers/{server}", token=admin)
        assert (refused.status, refused.code) == (409, "SERVER_IN_USE")
        assert count(db, "handovers") == 1
        db.execute("UPDATE request_items SET fulfilment = 'downloaded'")
        assert call("DELETE", f"/api/admin/servers/{server}", token=admin).status == 204
        assert (count(db, "handovers"), count(db, "jobs")) == (0, 0)
        assert len(audited(db, "server.deleted")) == 1


class TestProbe:
    def test_a_good_test_frees_the_server_and_reads_its_inventory(
        self, db: Db, admin: str, standin: ArrStandin
    ) -> None:
        server = add(admin, baseUrl=standin.http.origin, apiKey=API_KEY).data["id"]
        db.execute(
            "UPDATE download_servers SET state = 'misconfigured', failures = 4,"
            " open_until = now() + interval '1 hour', last_error = '{\"code\": \"x\"}'"
        )
        db.execute("UPDATE jobs SET run_at = now() + interval '1 day'")
        result = probe(admin, server)
        assert result["ok"]
        assert result["latencyMs"] >= 0
        found = read(admin, server)
        assert (found["state"], found["version"]) == ("ok", result["version"])
        assert "error" not in found
        assert "retryAt" not in found
        assert count(db, "jobs WHERE run_at <= now()") == 1
        offered = call("GET", f"/api/admin/servers/{server}/inventory", token=admin).data
        assert "/media/films" in [each["path"] for each in offered["rootFolders"]]
        assert 4 in [each["id"] for each in offered["profiles"]]
        assert "readAt" in offered

    def test_a_failed_test_tells_why_and_changes_nothing(
        self, db: Db, admin: str, standin: ArrStandin
    ) -> None:
        server = add(admin, baseUrl=standin.http.origin, apiKey="wrong-key-0000").data["id"]
        assert probe(admin, server) == {
            "ok": False,
            "error": {"code": "KEY_REJECTED", "message": "The server rejects the API key"},
        }
        assert read(admin, server)["state"] == "unknown"
        other = add(admin, SONARR, baseUrl=standin.http.origin, apiKey=API_KEY).data["id"]
        assert probe(admin, other)["error"]["code"] == "WRONG_PROGRAM"
        assert [each[3] for each in audited(db, "server.tested")] == [
            {"ok": False, "code": "KEY_REJECTED"},
            {"ok": False, "code": "WRONG_PROGRAM"},
        ]

    def test_a_test_that_meets_a_change_does_not_free_the_server(
        self, db: Db, admin: str, standin: ArrStandin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = add(admin, baseUrl=standin.http.origin, apiKey=API_KEY).data["id"]
        lock = repository.lock

        def changed_meanwhile(connection: Any, server_id: Any) -> Any:
            db.execute("UPDATE download_servers SET updated_at = now() + interval '1 s'")
            return lock(connection, server_id)

        monkeypatch.setattr(repository, "lock", changed_meanwhile)
        assert probe(admin, server)["ok"]
        assert read(admin, server)["state"] == "unknown"

    def test_the_inventory_of_a_new_server_is_empty(self, admin: str) -> None:
        server = add(admin).data["id"]
        offered = call("GET", f"/api/admin/servers/{server}/inventory", token=admin).data
        assert offered == {"profiles": [], "rootFolders": [], "tags": []}


class TestKey:
    def test_a_token_of_another_server_does_not_decrypt(self, db: Db, admin: str) -> None:
        first = add(admin).data["id"]
        second = add(admin, name="4K", apiKey="another-key-0000").data["id"]
        db.execute(
            "UPDATE download_servers SET secret_enc = %s WHERE id = %s", (secret(db, first), second)
        )
        with pytest.raises(ConfigurationError, match="server 4K"):
            service.check_key()

    def test_a_rotation_re_encrypts_every_server(
        self, db: Db, admin: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Nobody reads the inventory of a server that is disabled.
        server = add(admin, headers=HEADERS, enabled=False).data["id"]
        old = secret(db, server)
        importlib.import_module("functions.worker.app")
        service.check_key()
        keys = encryption._keys()
        rotated = encryption._derived("another-key-of-these-tests_3yXwK0hJ-4bT")
        monkeypatch.setattr(encryption, "_keys", lambda: rotated + keys)
        rounds.run_task("inventories", lambda: 60.0)
        new = secret(db, server)
        assert new != old
        rounds.run_task("inventories", lambda: 60.0)
        assert secret(db, server) == new
        monkeypatch.setattr(encryption, "_keys", lambda: rotated)
        row = repository.get(db, server)
        assert row is not None
        assert service.credentials(db, row) == (KEY, HEADERS)
        monkeypatch.setattr(encryption, "_keys", lambda: keys)
        with pytest.raises(ConfigurationError, match="ENCRYPTION_KEY does not decrypt"):
            service.check_key()
