"""Unit tests cannot open connections."""

import socket

import psycopg
import pytest
from pydantic import SecretStr

from medianest.core.db import Database


def test_a_unit_test_cannot_open_a_socket() -> None:
    with (
        socket.socket() as client,
        pytest.raises(pytest.fail.Exception, match="opened a connection"),
    ):
        client.connect(("127.0.0.1", 9))
    with (
        socket.socket() as client,
        pytest.raises(pytest.fail.Exception, match="opened a connection"),
    ):
        client.connect_ex(("127.0.0.1", 9))


def test_a_unit_test_cannot_reach_a_database() -> None:
    with pytest.raises(pytest.fail.Exception, match="opened a connection"):
        psycopg.connect("postgresql://127.0.0.1:9/none")
    with (
        pytest.raises(pytest.fail.Exception, match="opened a connection"),
        Database(SecretStr("postgresql://127.0.0.1:9/none")).transaction(),
    ):
        pass
