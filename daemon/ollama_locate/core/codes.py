"""Every finding that `ollama-locate doctor` knows. docs/doctor.md says the same at more length; a test compares."""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from .advice import SERVE, WHAT
from .tailnet import Absence
from .trust import Rejection


class Severity(Enum):
    """Problem: something that is expected to work does not. Warning: it will, or may, go wrong. Note: good to know."""

    PROBLEM = "problem"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return list(Severity).index(self)


class Rule(NamedTuple):
    """A code's severity and templates, and the codes that explain it: while one of those was found, it is hidden."""

    severity: Severity
    text: str
    why: str
    mend: str = ""
    causes: tuple[str, ...] = ()


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
    "peer_not_ollama",
    "peer_busy",
    "peer_blocked",
    "peer_silent",
    "peer_offline",
    "peer_error",
)
"""What a server can have that is not up."""

RULES: Final[Mapping[str, Rule]] = {
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
    "tailscale_starting": Rule(_W, _of(Absence.STARTING), "It takes a few seconds.", "ollama-locate doctor"),
    "tailscale_hangs": Rule(
        _P, _of(Absence.HUNG), "Tailscaled accepts its question and does not answer: {detail}.", "{restart}"
    ),
    "tailscale_fails": Rule(
        _P, "The tailscale command's answer cannot be used: {text}.", "It said: {detail}.", "tailscale status"
    ),
    "tailscale_userspace": Rule(
        _P,
        "Tailscaled runs here with userspace networking, so that no program can connect to the tailnet.",
        "There is no network interface of Tailscale's on this machine (TUN is false).",
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
        SERVE,
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
    # --- The state folder
    "folder_owner": Rule(
        _P,
        "The state folder {path} belongs to another user (uid {uid}).",
        "What it says is not believed, and the daemon does not write there.",
        "sudo chown -R {user} {quoted}",
    ),
    "folder_open": Rule(
        _P,
        "Others can write the state folder {path}.",
        "Who writes there decides where your prompts go: it is not believed, and the daemon does not use it.",
        "chmod go-w {quoted}",
    ),
    "folder_no_folder": Rule(
        _P, "{path} is not a folder.", "The daemon needs a folder of this name.", "mv {quoted} {quoted}.old"
    ),
    "folder_read_only": Rule(
        _P,
        "The state folder {path} cannot be written.",
        "{detail}. The files there stay as they are, however the world changes.",
        "{command}",
    ),
    "folder_full": Rule(
        _P,
        "The disk of the state folder {path} is full.",
        "{detail}. The old files stay whole; new ones cannot be written.",
        "df -h {quoted}; df -i {quoted}",
    ),
    "folder_unusable": Rule(_P, "The state folder cannot be used.", "{detail}", "ls -ld {quoted}"),
    "state_unreadable": Rule(
        _W, "What the daemon published cannot be read.", "{detail}", "{restart}", causes=("folder_owner", "folder_open")
    ),
    # --- The config
    "config_broken": Rule(
        _P,
        "The config cannot be used: {detail}.",
        "The daemon does not start with it; one that runs keeps the last good one. All else here was looked at with "
        "the defaults.",
        "${{EDITOR:-vi}} {quoted}",
    ),
    "config_warning": Rule(
        _N, "The config: {detail}.", "It does what it says; this is so that you know.", "ollama-locate config"
    ),
    # --- The daemon
    "daemon_not_running": Rule(
        _P,
        "No daemon runs.",
        "The env file stays as it is, whatever happens to the servers; each command has to look for itself.",
        "{start}",
        causes=(
            "config_broken",
            "folder_owner",
            "folder_open",
            "folder_no_folder",
            "folder_read_only",
            "daemon_watchdog",
            "daemon_failed",
        ),
    ),
    "daemon_stale": Rule(
        _P,
        "The daemon (pid {pid}) has not been heard for {age}.",
        "It beats every 30 s; it hangs, is stopped, or cannot write.",
        "{restart}",
        causes=("folder_full", "folder_read_only"),
    ),
    "daemon_watchdog": Rule(
        _P,
        "systemd's watchdog has killed the daemon ({unit}).",
        "It gave no sign for the time that the unit allows: it hung, or the machine had no moment for it.",
        "journalctl {user_flag}-u ollama-located -n 50",
    ),
    "daemon_failed": Rule(
        _P,
        "systemd says that the daemon has failed ({unit}: {result}).",
        "Its log has the reason.",
        "journalctl {user_flag}-u ollama-located -n 50",
        causes=("config_broken", "folder_owner", "folder_open", "folder_no_folder", "folder_read_only", "folder_full"),
    ),
    "daemon_restarts": Rule(
        _W,
        "systemd has started the daemon again {count} times since it was started ({unit}).",
        "It does not live long, or its watchdog has killed it; its log has the reason.",
        "journalctl {user_flag}-u ollama-located -n 50",
        causes=("daemon_watchdog", "daemon_failed", "config_broken"),
    ),
    "daemon_twice": Rule(
        _W,
        "Two daemons are installed: {which}.",
        "Readers follow your own where it has written something, so that the other one probes in vain.",
        "{remove}",
    ),
    "daemon_other_version": Rule(
        _W,
        "The daemon is of version {theirs}, this command of {ours}.",
        "It was not started again after an upgrade.",
        "{restart}",
    ),
    # --- Shells and their environment
    "shell_not_sourced": Rule(
        _W,
        "No start-up file of {shell} reads the env file.",
        "New shells get no OLLAMA_ENDPOINT. Looked at: {files}.",
        "{line}",
    ),
    "shell_wrong_file": Rule(
        _W,
        "The line for {shell} stands in a file that it does not read: {place}.",
        "{reason}",
        "{line}",
    ),
    "shell_prompt_only": Rule(
        _N,
        "{shell} {version} looks at the endpoint at its prompt only.",
        "A command at a prompt that has stood for an hour gets the endpoint of an hour ago; bash 5.3, zsh, fish and nu "
        "look before each command, and bash with bash-preexec.",
        "ollama-locate exec -- CMD  # one program, with the endpoint of now",
    ),
    "endpoint_by_hand": Rule(
        _W,
        "{name} was set by hand to {value}{place}, and hides the found {wanted}.",
        "What is set by hand wins. Take the line out, and unset it here.",
        "unset {name}",
    ),
    "endpoint_in_startup": Rule(
        _W,
        "A start-up file sets {name} by hand: {place}.",
        "New shells have that value, whatever is found: what is set by hand wins. Take the line out.",
        "${{EDITOR:-vi}} +{line} {quoted}",
        causes=("endpoint_by_hand", "ollama_host_here"),
    ),
    "ollama_host_here": Rule(
        _W,
        "OLLAMA_HOST is exported on this machine, which runs Ollama itself: {value}{place}.",
        "`ollama serve` listens where OLLAMA_HOST says. At its next start from this environment it fails: that address "
        "is not this machine's.",
        "unset OLLAMA_HOST",
    ),
    "openai_key_leaves": Rule(
        _W,
        "OPENAI_BASE_URL is written while OPENAI_API_KEY is set.",
        "Every OpenAI client of this machine sends your OpenAI key to the chosen server.",
        "${{EDITOR:-vi}} {quoted}  # [variables]: take OPENAI_BASE_URL out",
    ),
    "proxy_catches": Rule(
        _W,
        "{variable} sends what is meant for {endpoint} to a proxy ({proxy}).",
        "The proxy cannot reach the tailnet; ollama-locate itself uses none. Not every program understands ranges: so "
        "the address stands there as well.",
        'export NO_PROXY="${{NO_PROXY:+$NO_PROXY,}}{hosts}" no_proxy="${{NO_PROXY:+$NO_PROXY,}}{hosts}"',
    ),
    # --- The clock
    "clock_off": Rule(
        _W,
        "This machine's clock is {offset} {direction}.",
        "Compared with the answers of {names}. Keys and certificates are judged by the clock, and so is whether the "
        "daemon lives.",
        "{command}",
    ),
    "clocks_differ": Rule(
        _N,
        "The clocks of this machine and of {names} are {offset} apart.",
        "One of them is wrong; which one cannot be told from here.",
        "{command}",
    ),
    # --- Neovim
    "neovim_missing": Rule(
        _N,
        "Neovim is installed, and the plugin is not.",
        "With it a running Neovim follows the endpoint: docs/neovim.md. It was looked for where lazy.nvim, vim-plug, "
        "packer and Neovim itself keep plugins.",
    ),
    "neovim_old": Rule(
        _W,
        "The Neovim plugin is of version {theirs}, the daemon of {ours}.",
        "A plugin of another version may misread what the daemon writes. It is in {path}.",
        "git -C {quoted} pull",
    ),
    # --- The doctor itself
    "check_crashed": Rule(
        _W,
        "The check `{check}` ended in an error of its own.",
        "{detail}. That is a fault of ollama-locate: please report it.",
    ),
    "check_hangs": Rule(
        _W,
        "The check `{check}` did not end within {seconds} s.",
        "Something that it asks does not answer: a disk, a socket, a program.",
        "ollama-locate doctor",
    ),
}
