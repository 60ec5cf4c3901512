import pytest

from backend.domain.errors import UpstreamFailed
from backend.sources.addresses import is_public, public_addresses


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.1", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
        "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd12::1", "fe80::1",
        "fe80::1%eth0", "fec0::1", "ff02::1", "not an address", "127.1", "2130706433",
    ],
)  # fmt: skip
def test_an_address_outside_the_public_internet_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "100.63.255.255", "172.32.0.1", "192.0.1.1", "198.20.0.1", "2606:4700::1", "::ffff:1.1.1.1"]
)
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_public(address)


async def test_a_name_that_resolves_to_this_machine_is_not_contacted() -> None:
    with pytest.raises(UpstreamFailed, match="no public address"):
        await public_addresses("localhost", 443)


async def test_a_name_that_does_not_resolve_is_said_so() -> None:
    with pytest.raises(UpstreamFailed, match="does not resolve"):
        await public_addresses("no-such-host.invalid", 443)
