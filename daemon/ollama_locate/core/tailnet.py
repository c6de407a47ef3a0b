"""`tailscale status --json`, read: bytes in, a tailnet or a named reason out."""

import msgspec

from .text import shown
from .worded import Worded


class Absence(Worded):
    """Why there is no tailnet to look at; the text is for a person."""

    NOT_INSTALLED = "not_installed", "tailscale is not installed, or its command was not found"
    NOT_RUNNING = "not_running", "tailscaled is not running"
    STOPPED = "stopped", "Tailscale is turned off; `tailscale up` turns it on"
    NEEDS_LOGIN = "needs_login", "Tailscale is not logged in; `tailscale login` does that"
    NEEDS_MACHINE_AUTH = "needs_machine_auth", "this machine waits for an admin of the tailnet to approve it"
    STARTING = "starting", "tailscaled is starting"
    NO_STATE = "no_state", "tailscaled has not said in what state it is"
    NO_PERMISSION = "no_permission", "tailscaled does not let this user ask it"
    GUI_NOT_CLI = "gui_not_cli", "the Tailscale app answered instead of its command line"
    HUNG = "hung", "the tailscale command did not end"
    GARBAGE = "garbage", "the tailscale command did not print JSON"
    TRUNCATED = "truncated", "the tailscale command stopped in the middle of its answer"
    TOO_LARGE = "too_large", "the tailscale command printed more than 64 MiB"
    WRONG_TYPE = "wrong_type", "the tailscale command printed JSON of another shape"
    EXIT_CODE = "exit_code", "the tailscale command failed"


class Unavailable(msgspec.Struct, frozen=True):
    """No tailnet; `detail` is what the outside said, made safe to show."""

    reason: Absence
    detail: str = ""


class Peer(msgspec.Struct, frozen=True, gc=False):
    """One node as the control plane describes it. Nothing in here is proof of anything.

    `name` is the first label of the MagicDNS name where it lies in our own tailnet, else the whole name:
    only the control plane gives those, whereas a host name is whatever the peer says of itself.
    """

    id: str
    name: str
    dns_name: str
    host_name: str
    os: str
    user_id: int
    login: str
    tags: tuple[str, ...]
    addresses: tuple[str, ...]
    online: bool
    expired: bool
    shared_out: bool
    shared_in: bool
    path: str
    routes: tuple[str, ...] = ()


class Tailnet(msgspec.Struct, frozen=True):
    """A tailnet whose backend runs. `tun` is false where tailscaled has no network interface here."""

    self: Peer
    peers: tuple[Peer, ...]
    suffix: str
    tun: bool


class _Node(msgspec.Struct, frozen=True):
    ID: str = ""
    HostName: str = ""
    DNSName: str = ""
    OS: str = ""
    UserID: int = 0
    Tags: list[str] | None = None
    TailscaleIPs: list[str] | None = None
    AllowedIPs: list[str] | None = None
    Online: bool = False
    Expired: bool = False
    ShareeNode: bool = False
    AltSharerUserID: int = 0
    CurAddr: str = ""
    Relay: str = ""
    PeerRelay: str = ""
    Active: bool = False


class _User(msgspec.Struct, frozen=True):
    LoginName: str = ""


class _Status(msgspec.Struct, frozen=True):
    BackendState: str = ""
    TUN: bool = True
    MagicDNSSuffix: str = ""
    Self: _Node | None = None
    Peer: dict[str, _Node] | None = None
    User: dict[str, _User] | None = None


_DECODER = msgspec.json.Decoder(_Status)


class _OwnNode(msgspec.Struct, frozen=True):
    KeyExpiry: str | None = None
    Expired: bool = False


class _Own(msgspec.Struct, frozen=True):
    Version: str = ""
    Self: _OwnNode | None = None


_OWN_DECODER = msgspec.json.Decoder(_Own)
_STATES = {
    "Stopped": Absence.STOPPED,
    "NeedsLogin": Absence.NEEDS_LOGIN,
    "NeedsMachineAuth": Absence.NEEDS_MACHINE_AUTH,
    "Starting": Absence.STARTING,
}


def parse_status(raw: bytes) -> Tailnet | Unavailable:
    """Read what `tailscale status --json` printed.

    Only `BackendState` = `Running` is a tailnet: `Stopped` still lists every peer (FACTS of 1.102.5).
    Unknown fields are ignored, absent ones have their Go zero value, a wrong type is named by its path.
    """
    try:
        status = _DECODER.decode(raw)
    except msgspec.ValidationError as error:
        return Unavailable(Absence.WRONG_TYPE, shown(str(error)))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        truncated = "truncated" in str(error)
        return Unavailable(Absence.TRUNCATED if truncated else Absence.GARBAGE, shown(str(error)))
    if status.BackendState != "Running":
        state = _STATES.get(status.BackendState, Absence.NO_STATE)
        return Unavailable(state, shown(status.BackendState) if state is Absence.NO_STATE else "")
    if status.Self is None:
        return Unavailable(Absence.WRONG_TYPE, "Object missing required field `Self`")
    suffix = status.MagicDNSSuffix.strip(".").lower()
    logins = {key: user.LoginName for key, user in (status.User or {}).items()}
    nodes = sorted((status.Peer or {}).items())
    return Tailnet(
        self=_peer(status.Self, suffix, logins),
        peers=tuple(_peer(node, suffix, logins) for _, node in nodes),
        suffix=suffix,
        tun=status.TUN,
    )


class Own(msgspec.Struct, frozen=True):
    """What a status says of this machine in whatever state: tailscale's version, and when the key expires (RFC 3339).

    An empty text: it does not say so.
    """

    version: str = ""
    key_expiry: str = ""
    expired: bool = False


def parse_own(raw: bytes) -> Own:
    """Read the part of `tailscale status --json` that is there in every state; never fails."""
    try:
        own = _OWN_DECODER.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Own()
    node = own.Self or _OwnNode()
    return Own(shown(own.Version, 64), shown(node.KeyExpiry or "", 64), node.Expired)


def _peer(node: _Node, suffix: str, logins: dict[str, str]) -> Peer:
    dns_name = node.DNSName.rstrip(".").lower()
    own = [f"{one}/{128 if ':' in one else 32}" for one in node.TailscaleIPs or ()]
    ours = bool(suffix) and dns_name.endswith("." + suffix)
    return Peer(
        id=node.ID,
        name=dns_name[: -len(suffix) - 1] if ours else dns_name,
        dns_name=dns_name,
        host_name=node.HostName,
        os=node.OS,
        user_id=node.UserID,
        login=logins.get(str(node.UserID), ""),
        tags=tuple(node.Tags or ()),
        addresses=tuple(node.TailscaleIPs or ()),
        online=node.Online,
        expired=node.Expired,
        shared_out=node.ShareeNode,
        shared_in=bool(node.AltSharerUserID) or (bool(suffix and dns_name) and not ours),
        path=_path(node),
        # What else the kernel sends there: subnets, and whatever the control plane says. Nearly always nothing.
        routes=tuple(net for net in node.AllowedIPs or () if net not in own),
    )


def _path(node: _Node) -> str:
    """`Relay` names the home relay even of a direct peer; only an active peer without an address is on it."""
    if node.CurAddr:
        return "direct"
    return "relay" if node.PeerRelay or (node.Active and node.Relay) else "unknown"
