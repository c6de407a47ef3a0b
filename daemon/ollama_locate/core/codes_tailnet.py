"""The findings about Tailscale and the servers. docs/doctor.md says the same at more length; a test compares."""

from collections.abc import Mapping
from typing import Final

from .advice import SERVE, WHAT
from .rule import Rule, Severity
from .tailnet import Absence
from .trust import Rejection

_P, _W, _N = Severity.PROBLEM, Severity.WARNING, Severity.NOTE


def _of(absence: Absence) -> str:
    """The sentence that `status` and `why` have for this as well, without its mend, which has a line of its own."""
    text = absence.text.partition(";")[0]
    return f"{text[0].upper()}{text[1:]}."


_ALONE: Final = "Without it only this machine's own Ollama and the servers of the config are used."

NO_TAILNET: Final = (
    "tailscale_missing",
    "tailscale_gui",
    "tailscale_no_permission",
    "tailscale_not_running",
    "tailscale_key_expired",
    "tailscale_needs_login",
    "tailscale_needs_approval",
    "tailscale_stopped",
    "tailscale_starting",
    "tailscale_hangs",
    "tailscale_fails",
    "tailscale_userspace",
)
"""While one of these is found, no server of the tailnet can be."""

UNREACHABLE: Final = (
    "pin_dead",
    "peer_refused",
    "peer_empty",
    "peer_forbidden",
    "peer_forbidden_name",
    "peer_gateway",
    "peer_login",
    "peer_cached",
    "peer_not_ollama",
    "peer_busy",
    "peer_blocked",
    "peer_silent",
    "peer_offline",
    "peer_error",
)
"""What a server can have that is not up."""

TAILNET: Final[Mapping[str, Rule]] = {
    # --- Tailscale here
    "tailscale_missing": Rule(
        _P,
        _of(Absence.NOT_INSTALLED),
        _ALONE + ' If it is installed, write where its command is into the config: tailscale = "/path/of/it"',
        "{install}",
    ),
    "tailscale_gui": Rule(
        _P,
        _of(Absence.GUI_NOT_CLI),
        "It said: {detail}. The app installs its command by Settings > CLI integration; write that one into the "
        'config: tailscale = "/usr/local/bin/tailscale"',
        "${{EDITOR:-vi}} {quoted}",
    ),
    "tailscale_no_permission": Rule(
        _P,
        _of(Absence.NO_PERMISSION),
        "It said: {detail}.",
        "sudo tailscale set --operator={user}",
    ),
    "tailscale_not_running": Rule(_P, _of(Absence.NOT_RUNNING), _ALONE, "{start}"),
    "tailscale_key_expired": Rule(
        _P,
        "This machine's key of the tailnet has expired ({when}).",
        "The tailnet takes nothing from it until somebody logs in here again.",
        "tailscale login",
    ),
    "tailscale_needs_login": Rule(
        _P, _of(Absence.NEEDS_LOGIN), _ALONE, "tailscale login", causes=("tailscale_key_expired",)
    ),
    "tailscale_needs_approval": Rule(
        _P,
        _of(Absence.NEEDS_MACHINE_AUTH),
        "An admin approves it at https://login.tailscale.com/admin/machines; nothing can be done here.",
    ),
    "tailscale_stopped": Rule(_P, _of(Absence.STOPPED), _ALONE, "tailscale up"),
    "tailscale_starting": Rule(_P, _of(Absence.STARTING), "It takes a few seconds.", "ollama-locate doctor"),
    "tailscale_hangs": Rule(
        _P, _of(Absence.HUNG), "Tailscaled accepts its question and does not answer: {detail}.", "{restart}"
    ),
    "tailscale_fails": Rule(
        _P, "The tailscale command's answer cannot be used: {text}.", "It said: {detail}.", "tailscale status"
    ),
    "tailscale_userspace": Rule(
        _P,
        "Tailscaled runs here with userspace networking, so that no program can connect to the tailnet.",
        "There is no network interface of Tailscale's on this machine (TUN is false). Through its SOCKS5 proxy it "
        "can be used all the same: docs/tailnets.md.",
        "sudo tailscaled --tun=tailscale0  # in place of --tun=userspace-networking; a container needs /dev/net/tun",
    ),
    "tailscale_key_expires": Rule(
        _W,
        "This machine's key of the tailnet expires {when}.",
        "From then on no server is reached until somebody logs in here again.",
        "tailscale login",
    ),
    "tailscale_old": Rule(
        _W,
        "Tailscale {version} is older than {wanted}.",
        "`tailscale serve --bg --tcp`, by which an Ollama is published, is from {wanted}.",
        "sudo tailscale update",
    ),
    "socket_no_permission": Rule(
        _W,
        "You may not open tailscaled's socket ({path}).",
        "So changes of the tailnet are noticed at the regular looks only, every `interval`.",
        "sudo tailscale set --operator={user}",
        causes=NO_TAILNET,
    ),
    # --- The servers
    "pin_dead": Rule(
        _P,
        "The pinned server {names} does not answer.",
        "While the pin stands nothing else is published. To use what was found instead, take it away.",
        "ollama-locate unpin",
        causes=NO_TAILNET,
    ),
    "peer_refused": Rule(
        _N,
        WHAT["refused"] + ": Ollama is not running there, or it is bound to 127.0.0.1.",
        "If Ollama runs there, this publishes it to the tailnet, and to nothing else.",
        "ollama-locate expose  # or, without it: " + SERVE,
        causes=("tailscale_userspace",),
    ),
    "peer_ended": Rule(
        _N,
        "{names}: refuses now; its Ollama answered before, and has ended.",
        "It was reached the same way, so that nothing but Ollama is missing.",
        "sudo systemctl restart ollama  # or: ollama serve",
        causes=("tailscale_userspace",),
    ),
    "peer_empty": Rule(
        _N,
        WHAT["empty"] + ": `tailscale serve` is on, and the Ollama behind it is dead.",
        "Tailscale goes on accepting for it; what is missing is Ollama.",
        "sudo systemctl restart ollama  # or: ollama serve",
    ),
    "peer_forbidden": Rule(
        _N,
        WHAT["forbidden_host"] + ".",
        "Ollama knows the addresses of its machine's interfaces. With userspace networking there (containers, some "
        "NAS) the tailnet's is on none of them.",
        "OLLAMA_HOST=0.0.0.0 ollama serve",
    ),
    "peer_forbidden_name": Rule(
        _N,
        "{names}: answers 403, since its Ollama is bound to loopback and does not know the name in {url}.",
        "It knows localhost and the addresses of its own interfaces: write its address into the config, not its name.",
        "tailscale ip -4 {host}",
    ),
    "peer_gateway": Rule(
        _N,
        WHAT["gateway"] + " ({detail}).",
        "What is missing is Ollama, or the proxy looks for it elsewhere.",
        "sudo systemctl restart ollama  # or: ollama serve",
    ),
    "peer_login": Rule(
        _N,
        WHAT["login"] + ".",
        "{detail}.",
        "ollama-locate config  # `headers` of its table under [static]",
    ),
    "peer_cached": Rule(
        _N,
        WHAT["cached"] + " ({detail}).",
        "Whatever it says of models or of the version may be of yesterday. Nothing below /api is to be cached.",
        "curl -sSI {url}/api/version  # look for Age",
    ),
    "peer_not_ollama": Rule(
        _N,
        WHAT["not_ollama"] + ".",
        "It said: {detail}.",
        "sudo lsof -nP -iTCP:{port} -sTCP:LISTEN",
    ),
    "peer_busy": Rule(
        _N,
        WHAT["busy"] + ".",
        "Its kernel answers, its Ollama does not. If that lasts, start Ollama there again.",
        "sudo systemctl restart ollama  # or: ollama serve",
    ),
    "peer_blocked": Rule(
        _N,
        "{names}: answers Tailscale's ping, and is silent on port {port}: the tailnet's access rules keep you away.",
        "The ping needs no rule, a connection does. An admin grants it at "
        "https://login.tailscale.com/admin/acls (or a firewall there drops it).",
        "sudo iptables -nvL INPUT  # a firewall, on that machine",
    ),
    "peer_silent": Rule(
        _N,
        WHAT["silent"] + ", to Tailscale's ping as well, though the tailnet calls it online.",
        "It may be asleep or unplugged; the tailnet notices that after minutes.",
        "tailscale ping {first}",
    ),
    "peer_offline": Rule(
        _N,
        "{names}: offline.",
        "The tailnet has no connection to it: it is off, asleep, or Tailscale is off there.",
    ),
    "peer_key_expired": Rule(
        _N,
        "{names}: " + Rejection.EXPIRED.text.partition(";")[0] + ".",
        "The tailnet takes nothing from it until somebody logs in there again.",
        "tailscale login",
    ),
    "peer_error": Rule(_N, WHAT["error"] + ".", "{detail}", "ollama-locate why {first}"),
    "peer_relayed": Rule(
        _N,
        "{names}: reached through a relay only{region}: {cost} for each round trip.",
        "No direct path between the two machines was found: a firewall drops UDP, or both stand behind a NAT that "
        "changes ports. This says what the network here allows.",
        "tailscale netcheck",
    ),
    "peer_no_models": Rule(
        _N, "{names}: up, but without any model.", "It comes after those that have one.", "ollama pull mistral"
    ),
    "ollama_old": Rule(
        _W,
        "{names}: Ollama older than {fixed}, with a known fault ({fault}).",
        "{what}. Whoever reaches its port can use that.",
        "curl -fsSL https://ollama.com/install.sh | sh",
    ),
    "no_local_ollama": Rule(
        _N,
        "No Ollama runs on this machine.",
        "Its own would be used while no other is there.",
        "ollama serve",
    ),
    "nobody_there": Rule(
        _P,
        "Your tailnet has no other machine.",
        "Install Tailscale on the one that runs Ollama, and log it in as the same user.",
        "{install}",
        causes=NO_TAILNET,
    ),
    "nobody_allowed": Rule(
        _P,
        "No machine of the tailnet may be asked ({count} left alone).",
        "`ollama-locate why` has the reason for each; `allow` in {config} admits one by name.",
        "ollama-locate why",
        causes=NO_TAILNET,
    ),
    "no_server": Rule(
        _P,
        "No Ollama was found.",
        "Programs get http://localhost:11434, where nothing answers.",
        "ollama-locate why",
        causes=(*NO_TAILNET, *UNREACHABLE, "nobody_there", "nobody_allowed"),
    ),
}
