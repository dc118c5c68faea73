"""A figure above its bar fails `make prove FULFILMENT=1`."""

import pytest

from tests.prove.fulfilment import __main__ as command
from tests.prove.fulfilment.parts import PARTS, Proof


@pytest.mark.parametrize(("value", "code"), [(2.0, 0), (2.01, 1)])
def test_exit_code_tells_of_a_missed_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: float, code: int
) -> None:
    def measure(say: object, approvals: int) -> Proof:
        proof = Proof("bell")
        proof.add("approvals", approvals)
        proof.add("p95", value, 2.0, "s")
        return proof

    monkeypatch.setitem(PARTS, "bell", measure)
    assert command.main(["bell", "--approvals", "7"]) == code
    lines = capsys.readouterr().out.splitlines()
    assert "| bell | approvals | 7 |  |" in lines
    bar = "≤ 2 MISSED" if code else "≤ 2"
    assert f"| bell | p95 | {value:g} s | {bar} |" in lines


def test_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["bells"])
    assert "unknown part: bells; known: bell, sweep, soak, dead-server" in capsys.readouterr().err
