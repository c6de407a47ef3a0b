"""A feed for HAProxy: the backend `ollama` (docs.haproxy.org/2.6/configuration.html)."""

from typing import Final

from .bounds import FEED_ANSWER, FEED_CHECK, FEED_CHECK_SOON, FEED_CONNECT
from .constants import FALL, RISE
from .feed import Entry, Fed, entries, fed
from .server import Kind
from .snapshot import Snapshot
from .text import shown

FIRST: Final = "# A feed of ollama-locate for HAProxy; what is changed here is lost."
"""What a file that this program wrote begins with."""

# Of a host name that cannot be resolved when HAProxy starts the server is off, and the others serve.
_RESOLVE: Final = "init-addr last,libc,none"

# An Ollama on loopback refuses Hosts that it does not know, and the name that the client used is none of them;
# `localhost` every Ollama takes (Ollama: server/routes.go). Who accepts and then says nothing is `tailscale serve` in
# front of a dead Ollama, and 503 is said by one whose queue is full: nothing was done, and another server is asked.
# A backup is asked when all before it are down: with `observe`, one failed connect says so, and no request is lost.
_BACKEND: Final = f"""\
backend ollama
    mode http
    balance leastconn
    option httpchk GET /api/version HTTP/1.1
    http-check send hdr Host localhost
    http-check expect status 200
    http-request set-header Host localhost
    timeout connect {FEED_CONNECT}s
    timeout check {FEED_CHECK}s
    timeout server {FEED_ANSWER}s
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response 503
    default-server observe layer4 error-limit 1 on-error mark-down
    default-server check inter {FEED_CHECK}s fastinter {FEED_CHECK_SOON}s rise {RISE} fall {FALL} {_RESOLVE}
"""

_OF_ITS_OWN: Final = f"""
listen ollama-{{name}}
    mode http
    bind abns@ollama-{{name}}
    http-request set-header Host {{site}}
    timeout client {FEED_ANSWER}s
    timeout connect {FEED_CONNECT}s
    timeout server {FEED_ANSWER}s
    server {{name}} {{address}} {_RESOLVE}{{tls}}
"""
_PORTS: Final = {"http": 80, "https": 443}


def haproxy(snapshot: Snapshot) -> Fed:
    """The backend; the first tier shares the requests, each later server stands by in its turn.

    Who lists no model is not in it: HAProxy does not see that every answer of it is an error.
    """
    found = entries(snapshot)
    listed = [one for one in found.all if one.state.models != () and not _is_unverifiable(one)]
    left_out = [
        f"{shown(one.state.name)} is left out: HAProxy verifies no certificate of an IP; use its host name in [static]"
        for one in found.all
        if _is_unverifiable(one)
    ]
    first = min((one.place for one in listed), default=0)
    lines = [_server(one, backup=one.place > first) for one in listed]
    more = [_of_its_own(one) for one in listed if _has_site(one)]
    return fed(f"{FIRST}\n{_BACKEND}{''.join(lines)}{''.join(more)}", listed, (*found.left_out, *left_out))


def _is_unverifiable(one: Entry) -> bool:
    """Its `verifyhost` looks at the names of a certificate only; without it, anybody's certificate would do."""
    return one.scheme == "https" and not one.has_name


def _has_site(one: Entry) -> bool:
    """Whether it may be one of several behind an address, which are told apart by the Host that is asked for.

    HAProxy cannot choose a header by the server that it has chosen, so that such a one gets a proxy of its own.
    """
    return one.state.kind == Kind.STATIC.value and one.has_name


def _server(one: Entry, *, backup: bool) -> str:
    if _has_site(one):
        address = f"abns@ollama-{one.name}"
    elif one.state.kind == Kind.LOCAL.value:
        address = f"127.0.0.1:{one.port}"  # where it was asked; `localhost` may be ::1 as well
    else:
        address = one.address
    return f"    server {one.name} {address}{' backup' if backup else ''}\n"


def _of_its_own(one: Entry) -> str:
    site = one.host if one.port == _PORTS[one.scheme] else one.address
    tls = f" ssl verify required ca-file @system-ca sni str({one.host}) verifyhost {one.host}"
    tls = tls if one.scheme == "https" else ""
    return _OF_ITS_OWN.format(name=one.name, site=site, address=one.address, tls=tls)
