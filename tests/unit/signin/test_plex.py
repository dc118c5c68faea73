"""The plex.tv client: strict parsing of responses, and the requests it sends."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.core import http
from medianest.core.breaker import FAILURES
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.text import clean
from medianest.core.variables import Environment
from medianest.signin.plex import PlexAccess, PlexAccount, PlexClient, PlexPin
from tests.support.canned import ABSENT, NoCache, changed

PIN = {"id": 308667304, "code": "7pqqv4xxm6a2l1hd1tkrqjmou", "expiresIn": 1800, "authToken": None}
ACCOUNT = {"id": 4217, "username": "alice", "title": "Alice", "email": "alice@example.org"}
SERVER = {"clientIdentifier": "our-server", "provides": "server", "owned": False}
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"


class Plex:
    """A fake plex.tv that returns `body`, or raises `error`, and records the calls."""

    def __init__(self) -> None:
        self.status = 200
        self.body: Any = None
        self.error: Exception | None = None
        self.calls: list[tuple[str, str, dict[str, str], dict[str, str] | None]] = []
        self.timeouts: list[float] = []

    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None,
        total_seconds: float,
    ) -> tuple[int, Any]:
        self.timeouts.append(total_seconds)
        self.calls.append((method, url, dict(headers), dict(query) if query else None))
        if self.error is not None:
            raise self.error
        return self.status, self.body


@pytest.fixture
def plex(monkeypatch: pytest.MonkeyPatch) -> Plex:
    plex = Plex()
    monkeypatch.setattr(http, "request_json", plex)
    return plex


@pytest.fixture
def client(plex: Plex) -> PlexClient:
    assert plex.calls == []
    return client_of("installation-1")


def client_of(client_id: str, **variables: str) -> PlexClient:
    return PlexClient(
        Environment(plex_client_id=client_id, plex_api_url="https://plex.example.org", **variables),
        NoCache(),
    )


def code_of(call: Any, *args: Any) -> ErrorCode:
    with pytest.raises(AppError) as caught:
        call(*args)
    assert caught.value.details is None
    return caught.value.code


@pytest.mark.parametrize(
    ("client_id", "code"),
    [
        ("installation-1", "7pqqv4xx"),
        ("a&b", "c d"),
        ("a&b=c#d?e%20+", "x&clientID=evil#"),
        ("{}[]|^", "日本 é+/="),
    ],
)
def test_the_sign_in_page_gets_its_parameters_in_the_fragment(client_id: str, code: str) -> None:
    url = client_of(client_id).sign_in_url(code)
    assert url.startswith("https://app.plex.tv/auth#?")
    parts = urlsplit(url)
    assert parts.query == ""
    assert "#" not in parts.fragment
    assert parse_qs(parts.fragment.removeprefix("?"), strict_parsing=True) == {
        "clientID": [client_id],
        "code": [code],
        "context[device][product]": ["MediaNest"],
    }


def test_a_pin_is_parsed(plex: Plex, client: PlexClient) -> None:
    plex.status, plex.body = 201, PIN | {"qr": "https://…", "location": {}}
    assert client.create_pin() == PlexPin(308667304, "7pqqv4xxm6a2l1hd1tkrqjmou", 600)
    (method, url, headers, query), *rest = plex.calls
    assert rest == []
    assert (method, url) == ("POST", "https://plex.example.org/api/v2/pins")
    assert query == {"strong": "true"}
    assert headers["Accept"] == "application/json"
    assert headers["X-Plex-Client-Identifier"] == "installation-1"
    assert "X-Plex-Token" not in headers


@pytest.mark.parametrize(
    ("plex_seconds", "expected"), [(1, 1), (600, 600), (601, 600), (10**9, 600)]
)
def test_the_lifetime_of_a_pin_is_that_of_plex_up_to_ten_minutes(
    plex: Plex, client: PlexClient, plex_seconds: int, expected: int
) -> None:
    plex.body = changed(PIN, expiresIn=plex_seconds)
    assert client.create_pin().seconds == expected


@pytest.mark.parametrize("invalid", [ABSENT, 0, -1, "1800", None, 1.5, True, [], 10**400], ids=str)
def test_a_pin_without_a_lifetime_expires_after_ten_minutes(
    plex: Plex, client: PlexClient, invalid: Any
) -> None:
    plex.body = changed(PIN, expiresIn=invalid)
    assert client.create_pin() == PlexPin(308667304, "7pqqv4xxm6a2l1hd1tkrqjmou", 600)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        [PIN],
        "text",
        {},
        changed(PIN, id=ABSENT),
        changed(PIN, id=None),
        changed(PIN, id="308667304"),
        changed(PIN, id=1.0),
        changed(PIN, id=True),
        changed(PIN, id=0),
        changed(PIN, id=-5),
        changed(PIN, id=2**63),
        changed(PIN, id=10**400),
        changed(PIN, code=ABSENT),
        changed(PIN, code=""),
        changed(PIN, code=1234),
        changed(PIN, code="x" * 101),
        changed(PIN, code="\ud800"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_an_invalid_pin_is_plex_unreachable(plex: Plex, client: PlexClient, body: Any) -> None:
    plex.body = body
    assert code_of(client.create_pin) == ErrorCode.PLEX_UNREACHABLE


def test_the_largest_storable_id_is_accepted(plex: Plex, client: PlexClient) -> None:
    plex.body = changed(PIN, id=2**63 - 1)
    assert client.create_pin().id == 2**63 - 1
    plex.body = changed(ACCOUNT, id=2**63 - 1)
    assert client.account("t").id == 2**63 - 1


@pytest.mark.parametrize("status", [204, 400, 401, 404, 422])
def test_a_pin_with_an_error_status_is_plex_unreachable(
    plex: Plex, client: PlexClient, status: int
) -> None:
    plex.status, plex.body = status, dict(PIN)
    assert code_of(client.create_pin) == ErrorCode.PLEX_UNREACHABLE


@pytest.mark.parametrize(
    ("body", "token"),
    [
        (PIN, None),
        (changed(PIN, authToken=ABSENT), None),
        (changed(PIN, authToken=""), None),
        (changed(PIN, authToken="a-token"), "a-token"),
        ({"authToken": "a-token", "trusted": True}, "a-token"),
    ],
    ids=["null", "missing", "empty", "claimed", "only a token"],
)
def test_a_claimed_pin_has_a_token(
    plex: Plex, client: PlexClient, body: Any, token: str | None
) -> None:
    plex.body = body
    assert client.claimed_token(308667304) == token
    assert plex.calls[0][:2] == ("GET", "https://plex.example.org/api/v2/pins/308667304")
    assert plex.calls[0][2]["X-Plex-Client-Identifier"] == "installation-1"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {"authToken": 5},
        {"authToken": ["x"]},
        {"authToken": {}},
        # Neither can be sent in a header, where the token is used next.
        {"authToken": "a\r\nX-Evil: 1"},
        {"authToken": "日本"},
    ],
    ids=str,
)
def test_an_invalid_token_is_plex_unreachable(plex: Plex, client: PlexClient, body: Any) -> None:
    plex.body = body
    assert code_of(client.claimed_token, 1) == ErrorCode.PLEX_UNREACHABLE


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, ErrorCode.PIN_EXPIRED),
        (400, ErrorCode.PLEX_UNREACHABLE),
        (401, ErrorCode.PLEX_UNREACHABLE),
        (201, ErrorCode.PLEX_UNREACHABLE),
    ],
)
def test_a_pin_unknown_to_plex_has_expired(
    plex: Plex, client: PlexClient, status: int, code: ErrorCode
) -> None:
    plex.status, plex.body = status, {"errors": [{"code": 1020}]}
    assert code_of(client.claimed_token, 1) == code


def test_an_account_is_parsed(plex: Plex, client: PlexClient) -> None:
    plex.body = ACCOUNT | {"uuid": "x", "subscription": {"active": True}, "authToken": "t"}
    assert client.account("a-token") == PlexAccount(4217, "alice", "alice@example.org")
    method, url, headers, _ = plex.calls[0]
    assert (method, url) == ("GET", "https://plex.example.org/api/v2/user")
    assert headers["X-Plex-Token"] == "a-token"
    assert "a-token" not in url


@pytest.mark.parametrize("email", [None, "", ABSENT, " ", "\u200b", "\ud800"])
def test_an_account_may_have_no_email(plex: Plex, client: PlexClient, email: Any) -> None:
    plex.body = changed(ACCOUNT, email=email)
    assert client.account("t") == PlexAccount(4217, "alice", None)


@pytest.mark.parametrize("username", [None, "", ABSENT, " ", "\t\n", "\u200b\0"])
@pytest.mark.parametrize(
    ("title", "name"),
    [("Little Bob", "Little Bob"), (None, "plex-4217"), ("", "plex-4217"), (" ", "plex-4217")],
)
def test_an_account_without_a_username_gets_its_title_or_id_as_name(
    plex: Plex, client: PlexClient, username: Any, title: Any, name: str
) -> None:
    plex.body = changed(ACCOUNT, username=username, title=title)
    assert client.account("t").username == name


@pytest.mark.parametrize("invalid", [5, ["alice"], {}, True, "\ud800"], ids=repr)
@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Alice"),
        ({"title": None, "friendlyName": "Alice at home"}, "Alice at home"),
        ({"title": 7, "friendlyName": " "}, "plex-4217"),
    ],
    ids=str,
)
def test_an_invalid_username_is_ignored(
    plex: Plex, client: PlexClient, invalid: Any, changes: dict[str, Any], name: str
) -> None:
    plex.body = ACCOUNT | changes | {"username": invalid}
    assert client.account("t") == PlexAccount(4217, name, "alice@example.org")


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ({}, None),
        (5, None),
        (["alice@example.org"], None),
        (" alice@example.org\r\n", "alice@example.org"),
        ("\u00a0alice@example.org\u200b", "alice@example.org"),
        ("a" * 242 + "@example.org", "a" * 242 + "@example.org"),
        ("a" * 243 + "@example.org", None),
        ("ü" * 121 + "@example.org", "ü" * 121 + "@example.org"),
        ("ü" * 122 + "@example.org", None),
        ("\U0001f600" * 200 + "@example.org", None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_invalid_email_is_ignored(
    plex: Plex, client: PlexClient, email: Any, expected: str | None
) -> None:
    plex.body = changed(ACCOUNT, email=email)
    assert client.account("t") == PlexAccount(4217, "alice", expected)


@pytest.mark.parametrize(
    ("username", "expected"),
    [
        ("  alice ", "alice"),
        ("al\0ice", "alice"),
        ("al\r\nice\x1b[31m", "al  ice[31m"),
        ("Anna\u00a0Maria", "Anna Maria"),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        ),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("Ju\u0308rgen", "J\u00fcrgen"),
        ("a" * 199 + "\u200d" + "b" * 9, "a" * 199),
        ("a" * 199 + " b", "a" * 199),
        ("a" * 500, "a" * 200),
        ("Ålïçe 日本", "Ålïçe 日本"),
        ("\u200b alice", "alice"),
    ],
)
def test_invisible_characters_are_removed_from_a_username(
    plex: Plex, client: PlexClient, username: str, expected: str
) -> None:
    plex.body = changed(ACCOUNT, username=username)
    assert client.account("t").username == expected


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {},
        changed(ACCOUNT, id=ABSENT),
        changed(ACCOUNT, id=None),
        changed(ACCOUNT, id="4217"),
        changed(ACCOUNT, id=4217.0),
        changed(ACCOUNT, id=True),
        changed(ACCOUNT, id=0),
        changed(ACCOUNT, id=-1),
        changed(ACCOUNT, id=2**63),
        changed(ACCOUNT, id=10**400),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_an_invalid_account_is_plex_unreachable(plex: Plex, client: PlexClient, body: Any) -> None:
    plex.body = body
    assert code_of(client.account, "t") == ErrorCode.PLEX_UNREACHABLE


@pytest.mark.parametrize("status", [201, 401, 404, 422])
def test_an_account_or_server_list_with_an_error_status_is_plex_unreachable(
    plex: Plex, client: PlexClient, status: int
) -> None:
    plex.status, plex.body = status, dict(ACCOUNT)
    assert code_of(client.account, "t") == ErrorCode.PLEX_UNREACHABLE
    plex.body = [SERVER]
    assert code_of(client.access, "t", "our-server") == ErrorCode.PLEX_UNREACHABLE


@pytest.mark.parametrize("body", [None, [], "text", {}, {"success": False}], ids=str)
def test_a_404_means_expired_only_with_the_body_of_plex(
    plex: Plex, client: PlexClient, body: Any
) -> None:
    plex.status, plex.body = 404, body
    assert code_of(client.claimed_token, 1) == ErrorCode.PLEX_UNREACHABLE


@pytest.mark.parametrize(
    ("retry_after", "expected"), [(None, "5"), (1, "5"), (20, "20"), (3600, "60")]
)
def test_retry_after_of_plex_reaches_the_caller(
    plex: Plex, client: PlexClient, retry_after: int | None, expected: str
) -> None:
    plex.error = http.UpstreamError("plex.example.org answered 429", retry_after=retry_after)
    with pytest.raises(AppError) as caught:
        client.create_pin()
    assert caught.value.headers == {"Retry-After": expected}


def test_an_invalid_response_has_a_retry_after(plex: Plex, client: PlexClient) -> None:
    plex.body = "nonsense"
    with pytest.raises(AppError) as caught:
        client.create_pin()
    assert caught.value.headers == {"Retry-After": "5"}


def test_a_call_with_a_budget_uses_the_remaining_time(plex: Plex, client: PlexClient) -> None:
    budget = http.Budget(0.5)
    plex.body = ACCOUNT
    client.account("t")
    client.account("t", budget)
    assert plex.timeouts[0] == 4
    assert 0 < plex.timeouts[1] <= 0.5


def test_failed_calls_open_the_breaker_and_error_responses_do_not(
    plex: Plex, client: PlexClient
) -> None:
    # A client that requests invalid PINs must not block the sign-in of others.
    error_responses: list[tuple[int, Any]] = [
        (404, {"errors": []}),
        (404, None),
        (401, None),
        (400, {}),
    ]
    for plex.status, plex.body in error_responses * FAILURES:
        with pytest.raises(AppError):
            client.claimed_token(1)
    assert len(plex.calls) == 4 * FAILURES
    plex.error = http.UpstreamError("plex.example.org: ReadTimeoutError")
    for _ in range(FAILURES):
        assert code_of(client.create_pin) == ErrorCode.PLEX_UNREACHABLE
    plex.error = None
    with pytest.raises(AppError) as caught:
        client.claimed_token(1)
    assert caught.value.code == ErrorCode.PLEX_UNREACHABLE
    assert 25 < int(caught.value.headers["Retry-After"]) <= 30
    assert len(plex.calls) == 5 * FAILURES


def test_a_failed_call_is_plex_unreachable(plex: Plex, client: PlexClient) -> None:
    plex.error = http.UpstreamError("plex.example.org: ReadTimeoutError")
    assert code_of(client.create_pin) == ErrorCode.PLEX_UNREACHABLE
    assert code_of(client.claimed_token, 1) == ErrorCode.PLEX_UNREACHABLE
    assert code_of(client.account, "t") == ErrorCode.PLEX_UNREACHABLE
    assert code_of(client.access, "t", "our-server") == ErrorCode.PLEX_UNREACHABLE


@pytest.mark.parametrize(
    ("servers", "access"),
    [
        ([], PlexAccess(reachable=False, owned=False)),
        ([SERVER], PlexAccess(reachable=True, owned=False)),
        ([changed(SERVER, owned=True)], PlexAccess(reachable=True, owned=True)),
        ([changed(SERVER, owned=ABSENT)], PlexAccess(reachable=True, owned=False)),
        (
            [changed(SERVER, provides="client,player,server")],
            PlexAccess(reachable=True, owned=False),
        ),
        ([changed(SERVER, clientIdentifier="other")], PlexAccess(reachable=False, owned=False)),
        (
            [changed(SERVER, clientIdentifier="OUR-SERVER")],
            PlexAccess(reachable=False, owned=False),
        ),
        (
            [changed(SERVER, clientIdentifier="our-server2")],
            PlexAccess(reachable=False, owned=False),
        ),
        ([changed(SERVER, clientIdentifier="our")], PlexAccess(reachable=False, owned=False)),
        ([changed(SERVER, clientIdentifier=ABSENT)], PlexAccess(reachable=False, owned=False)),
        (
            [changed(SERVER, provides="client,player", owned=True)],
            PlexAccess(reachable=False, owned=False),
        ),
        ([changed(SERVER, provides="media-server")], PlexAccess(reachable=False, owned=False)),
        ([changed(SERVER, provides="servers")], PlexAccess(reachable=False, owned=False)),
        ([changed(SERVER, provides="")], PlexAccess(reachable=False, owned=False)),
        ([changed(SERVER, provides=ABSENT)], PlexAccess(reachable=False, owned=False)),
        ([changed(SERVER, provides="client, server ")], PlexAccess(reachable=True, owned=False)),
        ([changed(SERVER, owned="true")], PlexAccess(reachable=True, owned=False)),
        ([changed(SERVER, owned=1)], PlexAccess(reachable=True, owned=False)),
        ([changed(SERVER, owned=None)], PlexAccess(reachable=True, owned=False)),
        ([changed(SERVER, name=["x"])], PlexAccess(reachable=True, owned=False)),
        ([changed(SERVER, clientIdentifier=None)], PlexAccess(reachable=False, owned=False)),
        ([changed(SERVER, clientIdentifier=5)], PlexAccess(reachable=False, owned=False)),
        ([changed(SERVER, provides=None)], PlexAccess(reachable=False, owned=False)),
        ([changed(SERVER, provides=["server"])], PlexAccess(reachable=False, owned=False)),
        # The owner of another server, or of a player with the same id, does not own ours.
        (
            [changed(SERVER, clientIdentifier="other", owned=True), SERVER],
            PlexAccess(reachable=True, owned=False),
        ),
        (
            [changed(SERVER, provides="player", owned=True), SERVER],
            PlexAccess(reachable=True, owned=False),
        ),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_access_requires_an_entry_of_our_server(
    plex: Plex, client: PlexClient, servers: list[Any], access: PlexAccess
) -> None:
    plex.body = servers
    assert client.access("a-token", "our-server") == access
    method, url, headers, _ = plex.calls[0]
    assert (method, url) == ("GET", "https://plex.example.org/api/v2/resources")
    assert headers["X-Plex-Token"] == "a-token"


@pytest.mark.parametrize(
    "invalid",
    [
        None,
        "our-server",
        5,
        [SERVER],
        {},
        {"provides": None, "clientIdentifier": None, "owned": None},
        {"provides": 5, "clientIdentifier": [], "owned": "yes", "name": {}},
        changed(SERVER, clientIdentifier="other", provides=None),
        changed(SERVER, clientIdentifier="other", owned="true"),
    ],
    ids=str,
)
def test_only_the_invalid_device_is_dropped(plex: Plex, client: PlexClient, invalid: Any) -> None:
    plex.body = [invalid, changed(SERVER, owned=True), invalid]
    assert client.access("t", "our-server") == PlexAccess(reachable=True, owned=True)
    plex.body = [invalid]
    assert client.access("t", "our-server") == PlexAccess(reachable=False, owned=False)


@pytest.mark.parametrize("body", [None, {}, {"MediaContainer": []}, "text", 5], ids=str)
def test_a_server_list_of_another_type_is_plex_unreachable(
    plex: Plex, client: PlexClient, body: Any
) -> None:
    plex.body = body
    assert code_of(client.access, "t", "our-server") == ErrorCode.PLEX_UNREACHABLE


def test_a_dropped_field_is_logged_without_its_value(
    plex: Plex, client: PlexClient, caplog: pytest.LogCaptureFixture
) -> None:
    plex.body = [changed(SERVER, owned="canary", provides=["canary"]), "canary"]
    client.access("canary-token", "our-server")
    logged = [
        tuple(getattr(record, key) for key in ("message", "host", "path", "item", "cause"))
        for record in caplog.records
    ]
    source = ("plex.example.org", "/api/v2/resources")
    assert logged == [
        ("upstream_field_dropped", *source, "our-server", "provides: string_type"),
        ("upstream_field_dropped", *source, "our-server", "owned: bool_type"),
        ("upstream_item_dropped", *source, None, "model_type"),
    ]
    assert "canary" not in str([record.__dict__ for record in caplog.records])


def test_the_cause_of_plex_unreachable_is_logged_without_the_value(
    plex: Plex, client: PlexClient, caplog: pytest.LogCaptureFixture
) -> None:
    plex.body = changed(PIN, id="canary", code=5)
    code_of(client.create_pin)
    assert [getattr(record, "cause", None) for record in caplog.records] == [
        "id: int_type, code: string_type"
    ]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["username", "title", "email"]), st.none() | st.text())
    | st.dictionaries(st.sampled_from(sorted(ACCOUNT)), _JSON)
)
def test_any_account_is_plex_unreachable_or_can_be_stored(changes: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        plex = Plex()
        patched.setattr(http, "request_json", plex)
        plex.body = ACCOUNT | changes
        try:
            account = client_of("x").account("t")
        except AppError as error:
            assert error.code == ErrorCode.PLEX_UNREACHABLE
            return
    assert 0 < account.id < 2**63
    for text in (account.username, account.email):
        if text is not None:
            assert 0 < len(text) <= 254
            assert text == clean(text)
