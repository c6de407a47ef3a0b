"""What a person can do about what was found, in sentences; the first minute's messages."""

from collections.abc import Iterable
from typing import Final

from .server import port_of
from .snapshot import ServerState, Snapshot

_NAMES_MAX = 6

SERVE: Final = "tailscale serve --bg --tcp {port} tcp://127.0.0.1:{port}"

_HERE = "This machine: no Ollama runs here. To use its own, type: ollama serve"

WHAT: Final = {
    "refused": "{names}: nothing listens on port {port}",
    "empty": "{names}: accepts, but no Ollama answers behind it",
    "forbidden_host": "{names}: answers 403, since its Ollama is bound to loopback and does not know its own tailnet "
    "address",
    "gateway": "{names}: a proxy answers, and the Ollama behind it does not",
    "login": "{names}: a proxy answers, and wants a login",
    "cached": "{names}: a proxy answers from its cache, whether or not the Ollama behind it lives",
    "not_ollama": "{names}: something other than Ollama answers on port {port}",
    "silent": "{names}: silent",
    "busy": "{names}: accepts, and does not answer: busy, or it hangs",
    "error": "{names}: could not be probed",
}
"""What is wrong with servers whose outcome is this one, as the beginning of a sentence."""

_MENDS = {
    outcome: WHAT[outcome] + rest
    for outcome, rest in {
        "refused": ". If Ollama runs there, publish it by typing, there: {serve}",
        "empty": ". Start Ollama there again.",
        "forbidden_host": " (userspace networking there, or a proxy). Start it there with OLLAMA_HOST=0.0.0.0",
        "gateway": " ({detail}). Start Ollama there again; if it runs, see where the proxy looks for it.",
        "login": " ({detail}).",
        "cached": ". Let it cache nothing below /api.",
        "not_ollama": ".",
        "silent": ". It may be off, asleep, or kept away by the tailnet's access rules.",
        "busy": ". If that lasts, start Ollama there again.",
        "error": " ({detail}).",
    }.items()
}

_ENDED = (
    "{names}: nothing listens on port {port} any more. Start Ollama there again; if it runs, publish it again by "
    "typing, there: {serve}"
)

_STATIC_MENDS = _MENDS | {
    "refused": "{names}: nothing listens on port {port}. Start Ollama there, at the address by which it is asked.",
    "forbidden_host": "{names}: answers 403, since its Ollama does not know the name by which it is asked. Start it "
    "there with OLLAMA_HOST=0.0.0.0, or let the proxy before it say Host: localhost",
    "silent": "{names}: silent. It may be off, asleep, or kept away by a firewall.",
}


def advice(snapshot: Snapshot) -> list[str]:
    """Sentences for a person whose endpoint is not what they want, the most useful first."""
    lines = []
    if snapshot.decision.reason == "pinned_dead":
        lines.append("The pinned server does not answer. To use what was found instead, type: ollama-locate unpin")
    if snapshot.tailnet.state != "running":
        lines.append(f"Tailscale: {snapshot.tailnet.text}. Without it none of its machines is used.")
        if snapshot.tailnet.state == "not_installed":
            lines.append('If it is installed, write where its command is into the config: tailscale = "/path/of/it"')
    elif not any(server.kind == "peer" for server in snapshot.servers):
        left = sum(one.kind == "peer" for one in snapshot.rejected)
        lines.append(
            f"No machine of the tailnet may be asked ({left} left alone); see `allow` in the config."
            if left
            else "Your tailnet has no other machine; install Tailscale on the one that runs Ollama."
        )
    for outcome in _MENDS:
        failed = [one for one in snapshot.servers if one.outcome == outcome]
        for sentence in dict.fromkeys(filter(None, map(_sentence, failed))):
            lines += _mend(sentence, [one for one in failed if _sentence(one) == sentence])
    serves = any(one.kind == "self_check" and one.outcome == "alive" for one in snapshot.servers)
    if not serves and any(one.kind == "local" and one.outcome == "refused" for one in snapshot.servers):
        lines.append(_HERE)
    idle = [one for one in snapshot.servers if one.health == "up" and one.models == () and one.kind != "self_check"]
    return lines + _mend("{names}: up, but it lists no model. Pull one there: ollama pull mistral", idle)


def mend(server: ServerState) -> str | None:
    """The sentence for one server, if there is something to do."""
    if server.kind == "local":
        return _HERE if server.outcome == "refused" else None
    sentence = _sentence(server)
    return _mend(sentence, [server])[0] if sentence else None


def _sentence(server: ServerState) -> str | None:
    if server.kind in ("static", "mdns"):
        return _STATIC_MENDS.get(server.outcome or "")
    if server.kind != "peer":
        return None
    return _ENDED if server.outcome == "refused" and server.alive_at else _MENDS.get(server.outcome or "")


def _mend(sentence: str, servers: list[ServerState]) -> list[str]:
    """One sentence for the servers of each port."""
    lines = []
    for port in sorted({port_of(one.url) for one in servers}):
        group = [one for one in servers if port_of(one.url) == port]
        names, detail = listed(one.name for one in group), group[0].detail or "unknown"
        lines.append(sentence.format(names=names, port=port, serve=SERVE.format(port=port), detail=detail))
    return lines


def listed(names: Iterable[str]) -> str:
    """A few names, and how many more."""
    every = list(names)
    more = len(every) - _NAMES_MAX
    return ", ".join(every[:_NAMES_MAX]) + (f" and {more} more" if more > 0 else "")
