"""The entries of `allow`, `deny`, `prefer`: a name, `tag:x`, `user:login`, an IP, a network, `*`, `local`, `mdns`."""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from .server import host_of
from .tailnet import Peer

Network = IPv4Network | IPv6Network


class Form(Enum):
    """What an entry speaks of."""

    ANY = "any"
    LOCAL = "local"
    MDNS = "mdns"
    TAG = "tag"
    USER = "user"
    NETWORK = "network"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One entry, read."""

    form: Form
    value: str
    network: Network | None = None

    @property
    def text(self) -> str:
        """The entry as it would be written."""
        return f"user:{self.value}" if self.form is Form.USER else self.value


def parse_pattern(text: str) -> Pattern:
    """Read one entry; raises ValueError with a sentence for the person who wrote it."""
    if not text or text != text.strip():
        raise ValueError("an entry is empty or has blanks around it")
    if text == "*":
        return Pattern(Form.ANY, text)
    if text in ("local", "mdns"):
        return Pattern(Form(text), text)
    for form, prefix in ((Form.TAG, "tag:"), (Form.USER, "user:")):
        if text.lower().startswith(prefix) and not text.startswith(prefix):
            raise ValueError(f"`{text}`: write `{prefix}` in small letters")
        if text.startswith(prefix):
            if len(text) == len(prefix):
                raise ValueError(f"`{text}` names no {form.value}")
            return Pattern(form, text if form is Form.TAG else text.removeprefix(prefix).lower())
    try:
        network = ip_network(text)
    except ValueError as error:
        if "/" in text:
            raise ValueError(f"`{text}` is no network: {error}") from None
        return Pattern(Form.NAME, text.rstrip(".").lower())
    return Pattern(Form.NETWORK, text, network)


def parse_network(text: str) -> Network:
    """Read an IP or a CIDR; raises ValueError with a sentence."""
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"`{text}` is no IP or network: {error}") from None


def matches(pattern: Pattern, peer: Peer) -> bool:
    """Whether an entry speaks of this peer.

    A short name means a node of our own tailnet: a node shared in could carry the same first label, and
    every node chooses its own host name, which is therefore never looked at.
    """
    match pattern.form:
        case Form.ANY:
            return True
        case Form.TAG:
            # A node shared in carries the tags of its own tailnet, which are not ours.
            return pattern.value in peer.tags and not peer.shared_in
        case Form.USER:
            return bool(peer.login) and peer.login.lower() == pattern.value and not peer.tags
        case Form.NETWORK:
            return any(_inside(address, pattern.network) for address in peer.addresses)
        case Form.NAME:
            return bool(peer.name) and pattern.value in (peer.name, peer.dns_name)
        case _:  # `local` speaks of this machine, `mdns` of the LAN's: they are no peers
            return False


def names(pattern: Pattern, name: str, url: str) -> bool:
    """Whether an entry speaks of a server of which only the name and the URL are known."""
    if pattern.form is Form.NETWORK:
        return _inside(host_of(url), pattern.network)
    return pattern.form is Form.NAME and pattern.value.partition(".")[0] == name.lower().partition(".")[0]


def _inside(address: str, network: Network | None) -> bool:
    try:
        return network is not None and ip_address(address) in network
    except ValueError:
        return False


def tier_of_peer(prefer: tuple[Pattern, ...], peer: Peer) -> int:
    """The index of the entry that speaks of this peer; entries that name it come before `*`."""
    for index, pattern in enumerate(prefer):
        if pattern.form is not Form.ANY and matches(pattern, peer):
            return index
    return tier_of_rest(prefer)


def tier_of_name(prefer: tuple[Pattern, ...], name: str) -> int:
    """The tier of a static server, which has a name and nothing else."""
    for index, pattern in enumerate(prefer):
        if pattern.form is Form.NAME and pattern.value == name.lower():
            return index
    return tier_of_rest(prefer)


def is_host(pattern: Pattern, host: str) -> bool:
    """Whether an entry is the name of a host of the LAN, with or without `.local`."""
    return pattern.form is Form.NAME and host in (pattern.value, f"{pattern.value}.local")


def tier_of_found(prefer: tuple[Pattern, ...], host: str, address: str) -> int:
    """The tier of a server that mDNS found; entries that name it come before `mdns`, and without one it comes last.

    `host` is empty where its name is not to be relied on. `*` does not speak of it: whoever is in the tailnet is
    preferred, unless the user says otherwise.
    """
    for index, pattern in enumerate(prefer):
        if is_host(pattern, host) or (pattern.form is Form.NETWORK and _inside(address, pattern.network)):
            return index
    forms = [pattern.form for pattern in prefer]
    return forms.index(Form.MDNS) if Form.MDNS in forms else len(prefer) + 1


def tier_of_local(prefer: tuple[Pattern, ...]) -> int | None:
    """The tier of this machine where `prefer` says it, else None: then `local` decides."""
    forms = [pattern.form for pattern in prefer]
    return forms.index(Form.LOCAL) if Form.LOCAL in forms else None


def tier_of_rest(prefer: tuple[Pattern, ...]) -> int:
    """Where `*` stands; without it, whoever is not named comes after all who are."""
    forms = [pattern.form for pattern in prefer]
    return forms.index(Form.ANY) if Form.ANY in forms else len(prefer)
