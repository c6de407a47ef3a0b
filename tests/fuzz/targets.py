"""Every target by its name: what it is fed to, whether its inputs are documents, and the words of its language."""

from collections.abc import Callable
from typing import NamedTuple

from . import core, edge

_HTTP = (
    *("HTTP/1.1 200 OK\\x0d\\x0a", "HTTP/1.0 ", "HTTP/1.1 100 Continue\\x0d\\x0a\\x0d\\x0a", "\\x0d\\x0a\\x0d\\x0a"),
    *("Transfer-Encoding: chunked", "Content-Length: ", "Connection: close", "Upgrade: ", "Date: ", "0\\x0d\\x0a"),
    *("GET / HTTP/1.1\\x0d\\x0aHost: x\\x0d\\x0a", "HEAD ", "CONNECT ", "Expect: 100-continue", "ffffffffffffffff"),
    *('{\\"version\\":\\"', '{\\"models\\":[{\\"name\\":\\"a:1\\"}]}', "\\x15\\x03", "204 ", "304 ", "101 ", "403 "),
)
_TOML = (
    *("ports = [", 'interval = \\"30s\\"', "prefer = [", "local = ", "allow = [", "deny = [", "trusted_networks = ["),
    *("[static]\\x0a", "[variables]\\x0a", "[forward]\\x0a", "listen = ", "[metrics]\\x0a", "textfile = "),
    *("[models]\\x0a", "[[on_change]]\\x0a", "run = [", "timeout = ", "no_pull = [", "{url}", "{host}", "{port}"),
    *(
        "{name}",
        "http://",
        "https://[::1]:1",
        "tag:",
        "user:",
        "127.0.0.1:11435",
        "[mdns]\\x0a",
        "[static.x]\\x0a",
        "'''",
        '\\"\\"\\"',
        "\\\\u202e",
        "0x",
        "1e9",
        "inf",
    ),
)


class Target(NamedTuple):
    """`documents`: lines of JSON, changed as such. `words`: libFuzzer's dictionary."""

    run: Callable[[bytes], None]
    documents: bool = True
    words: tuple[str, ...] = ()


TARGETS = {
    "status": Target(core.status),
    "config": Target(core.config, documents=False, words=_TOML),
    "world": Target(core.world),
    "state": Target(edge.state),
    "models": Target(core.models),
    "pull": Target(core.pull),
    "bus": Target(edge.bus, documents=False, words=_HTTP),
    "http": Target(edge.http, documents=False, words=_HTTP),
    "forward": Target(edge.forward, documents=False, words=_HTTP),
}
