"""Which network addresses the registry may connect to on behalf of a URL from outside: the public unicast internet."""

import asyncio
import ipaddress
import socket

from backend.domain.errors import UpstreamFailed

# The special-purpose registries of IANA (RFC 6890 and its updates), written out because the standard library's
# `is_private` and `is_global` leave several of these out, and differ between patch releases.
_BLOCKED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_BLOCKED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "::/128",
        "::1/128",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)


def is_public(address: str) -> bool:
    """Whether `address` is a unicast address of the public internet; a mapped IPv4 address is judged as such."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _BLOCKED_V4)
    return parsed.scope_id is None and not any(parsed in network for network in _BLOCKED_V6)


async def public_addresses(host: str, port: int) -> list[str]:
    """The public addresses `host` resolves to, in the resolver's order.

    Raises:
        UpstreamFailed: it does not resolve, or only to addresses that must not be reached.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise UpstreamFailed(f"{host} does not resolve to an address") from None
    addresses = [address for address in dict.fromkeys(str(entry[4][0]) for entry in found) if is_public(address)]
    if not addresses:
        raise UpstreamFailed(f"{host} resolves to no public address, so it is not contacted")
    return addresses
