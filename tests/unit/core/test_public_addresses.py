"""Addresses that a person typed: what the service may call, and what it may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.core.public_addresses import RefusedAddressError, is_allowed, target_of

# Each with a similar address that is accepted.
REFUSED = [
    ("https://127.0.0.1", "https://126.255.255.254"),
    ("https://127.1", "https://126.1.1.1"),
    ("https://2130706433", "https://130.70.64.33"),
    ("https://0x7f.1", "https://x7f.example.org"),
    ("https://0x7f000001", "https://0x7f000001.example.org"),
    ("https://0177.0.0.1", "https://177.0.0.1"),
    ("https://localhost", "https://localhost.example.org"),
    ("https://localhost.", "https://example.org."),
    ("https://0.0.0.0", "https://1.0.0.1"),
    ("https://10.0.0.1", "https://11.0.0.1"),
    ("https://172.16.0.1", "https://172.15.0.1"),
    ("https://172.31.255.254", "https://172.32.0.1"),
    ("https://192.168.1.1", "https://192.169.1.1"),
    ("https://100.64.0.1", "https://100.128.0.1"),
    ("https://169.254.169.254", "https://169.253.169.254"),
    ("https://192.0.0.9", "https://192.0.3.9"),
    ("https://192.0.2.1", "https://192.0.3.1"),
    ("https://192.88.99.1", "https://192.88.98.1"),
    ("https://198.18.0.1", "https://198.20.0.1"),
    ("https://224.0.0.1", "https://223.255.255.1"),
    ("https://255.255.255.255", "https://217.255.255.255"),
    ("https://[::1]", "https://[2606:4700::1]"),
    ("https://[::]", "https://[2606:4700::]"),
    ("https://[::ffff:127.0.0.1]", "https://[2606:4700::ffff:127.0.0.1]"),
    ("https://[::127.0.0.1]", "https://[2606:4700::127.0.0.1]"),
    ("https://[64:ff9b::7f00:1]", "https://[2064:ff9b::7f00:1]"),
    ("https://[64:ff9b:1::1]", "https://[2064:ff9b:1::1]"),
    ("https://[fec0::1]", "https://[2ec0::1]"),
    ("https://[fc00::1]", "https://[2c00::1]"),
    ("https://[fe80::1]", "https://[2e80::1]"),
    ("https://[fe80::1%25eth0]", "https://[2e80::1]:8443"),
    ("https://[ff02::1]", "https://[2f02::1]"),
    ("https://[2002:7f00:1::1]", "https://[2003:7f00:1::1]"),
    ("https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "https://[2001:4860:4860::8888]"),
    ("https://[2001:db8::1]", "https://[2001:db7::1]"),
    ("https://[100::1]", "https://[2100::1]"),
    ("https://１２７.０.０.１", "https://１.１.１.１"),
    ("https://127。0。0。1", "https://example。org"),
    ("https://ⓛocalhost", "https://bücher.example"),
    ("https://router", "https://router.example.org"),
    ("http://radarr.example.org", "https://radarr.example.org"),
    ("ftp://radarr.example.org", "https://radarr.example.org/radarr"),
    ("https://user:key@radarr.example.org", "https://radarr.example.org/user:key"),
    ("https://radarr.example.org@127.0.0.1", "https://radarr.example.org/@127.0.0.1"),
    ("https://radarr.example.org:22", "https://radarr.example.org:443"),
    ("https://radarr.example.org:80", "https://radarr.example.org:8080"),
    ("https://radarr.example.org:99999", "https://radarr.example.org:65535"),
    ("https://radarr.example.org\\@127.0.0.1", "https://radarr.example.org/%5C"),
    ("https://radarr.example.org/?a=http", "https://radarr.example.org/"),
    ("https://radarr.example.org/#a", "https://radarr.example.org//a"),
    ("https://radarr.example.org/\r\nHost:x", "https://radarr.example.org/Host:x"),
    ("https://radarr.example.org/a/../b", "https://radarr.example.org/a..b"),
    ("https://radarr.example.org/%2E%2e/b", "https://radarr.example.org/%2Eb"),
    ("https://", "https://a.example"),
    ("https://[::1", "https://[2a00::1]/"),
    ("https://-" + "a" * 64 + ".example", "https://" + "a" * 63 + ".example"),
    ("https://a.example/" + "a" * 500, "https://a.example/" + "a" * 400),
]


@pytest.mark.parametrize(("bad", "good"), REFUSED)
def test_a_bad_address_is_refused_and_the_good_one_beside_it_is_not(bad: str, good: str) -> None:
    with pytest.raises(RefusedAddressError):
        target_of(bad, allow_private=False)
    assert target_of(good, allow_private=False).port in {443, 8080, 8443, 65535}


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("HTTPS://Radarr.Example.org:443/", "https://radarr.example.org"),
        ("https://bücher.example:7878/radarr/", "https://xn--bcher-kva.example:7878/radarr"),
        ("https://[2A00:0::1]:8443", "https://[2a00::1]:8443"),
        ("https://example.org./a", "https://example.org/a"),
    ],
)
def test_an_address_has_one_normal_form(typed: str, normal: str) -> None:
    assert target_of(typed, allow_private=False).url == normal
    assert target_of(normal, allow_private=False).url == normal


@pytest.mark.parametrize("url", ["http://127.0.0.1:7878", "http://radarr:7878", "https://[::1]"])
def test_a_private_address_is_for_development(url: str) -> None:
    assert target_of(url, allow_private=True).url == url
    with pytest.raises(RefusedAddressError):
        target_of(url, allow_private=False)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "::", "fe80::1", "::ffff:127.0.0.1"]
)
def test_the_metadata_service_is_refused_in_development_too(address: str) -> None:
    assert not is_allowed(address, allow_private=True)


@given(st.ip_addresses(v=4, network="10.0.0.0/8").map(int))
def test_no_form_of_ipv6_leads_to_a_private_ipv4_address(private: int) -> None:
    high, low = f"{private >> 16:x}", f"{private & 0xFFFF:x}"
    inverted = f"{private >> 16 ^ 0xFFFF:x}:{private & 0xFFFF ^ 0xFFFF:x}"
    for form in (
        f"::ffff:{high}:{low}",
        f"::{high}:{low}",
        f"64:ff9b::{high}:{low}",
        f"2002:{high}:{low}::1",
        f"2001:0:{high}:{low}::1",
        f"2001:0:808:808:0:0:{inverted}",
    ):
        assert not is_allowed(form, allow_private=False)
