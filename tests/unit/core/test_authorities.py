"""The trusted certificate authorities of Amazon's databases: complete and valid."""

import re
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from medianest.core.db import AMAZON_AUTHORITIES

CERTIFICATES = x509.load_pem_x509_certificates(AMAZON_AUTHORITIES.read_bytes())
KINDS = {"RSA2048 G1", "RSA4096 G1", "ECC384 G1"}
# The authorities of RDS Proxy.
TRUST_SERVICES = {f"Amazon Root CA {number}" for number in (1, 2, 3, 4)}


def name_of(certificate: x509.Certificate) -> str:
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


@pytest.mark.parametrize("certificate", CERTIFICATES, ids=name_of)
def test_each_certificate_is_a_valid_self_signed_authority(
    certificate: x509.Certificate,
) -> None:
    certificate.verify_directly_issued_by(certificate)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_cert_sign
    now = datetime.now(UTC)
    assert certificate.not_valid_before_utc < now
    # A year leaves enough time to deploy a new file.
    assert certificate.not_valid_after_utc > now + timedelta(days=365)


def test_the_file_has_trust_services_and_three_authorities_for_each_region() -> None:
    names = {name_of(certificate) for certificate in CERTIFICATES}
    assert len(names) == len(CERTIFICATES)
    matches = [re.fullmatch(r"Amazon RDS (\S+) Root CA (.+)", each) for each in names]
    regional = [match.groups() for match in matches if match]
    assert names - {match[0] for match in matches if match} == TRUST_SERVICES
    regions = {region for region, _ in regional}
    assert set(regional) == {(region, kind) for region in regions for kind in KINDS}
    assert len(regions) >= 27
    assert {"us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"} <= regions


def test_openssl_loads_every_certificate_of_the_file() -> None:
    context = ssl.create_default_context(cafile=AMAZON_AUTHORITIES)
    assert context.cert_store_stats()["x509_ca"] == len(CERTIFICATES)
