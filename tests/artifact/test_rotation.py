"""The built rotation function, on AWS's runtime, against an emulated Secrets Manager."""

import json
import uuid
from pathlib import Path

from local.template.reader import read_template
from tests.support.api import ROOT
from tests.support.aws import emulator
from tests.support.rie import NATIVE_ARCHITECTURE, emulated, make_runtime

PREVIOUS, NEXT = (
    "The-key_of-before-this-rotation-0123456789",
    "The-key_of-the-rotation-after-this-9876543210",
)
EVENT = json.loads((ROOT / "events/rotation.json").read_text())
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def test_a_rotation_completes_all_four_steps(builds: Path, tmp_path: Path) -> None:
    build, version = builds / NATIVE_ARCHITECTURE, str(uuid.uuid4())
    built = read_template(
        build / "template.yaml", opt=build, parameters={"JwtRotationDays": "31"}
    ).functions["RotationFunction"]
    runtime = make_runtime(tmp_path / "runtime")
    with emulator(tmp_path) as aws:
        environment = {**built.environment, "AWS_ENDPOINT_URL": aws.url}
        client = aws.client("secretsmanager")
        secret = aws.secret("jwt", json.dumps({"sign": PREVIOUS, "verify": []}))
        # Secrets Manager creates a pending version without a value; the emulator cannot.
        pending = json.dumps({"sign": PREVIOUS, "verify": [NEXT], "next": NEXT})
        client.put_secret_value(
            SecretId=secret,
            ClientRequestToken=version,
            SecretString=pending,
            VersionStages=["AWSPENDING"],
        )
        with emulated(built, environment, runtime=runtime, log=tmp_path / "log") as rotation:
            for step in STEPS:
                event = {"Step": step, "SecretId": secret, "ClientRequestToken": version}
                assert event.keys() == EVENT.keys()
                assert rotation.invoke(event) is None
        current = client.get_secret_value(SecretId=secret)
        assert (current["VersionId"], current["SecretString"]) == (version, pending)
