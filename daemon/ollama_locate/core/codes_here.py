"""The findings about this machine: files, daemon, shells, environment, clock, Neovim, and the doctor itself."""

from collections.abc import Mapping
from typing import Final

from .rule import Rule, Severity

_P, _W, _N = Severity.PROBLEM, Severity.WARNING, Severity.NOTE

HERE: Final[Mapping[str, Rule]] = {
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
    "config_names_nobody": Rule(
        _N,
        "The config: {key} names {names}, and nobody is called so now.",
        "A machine that is new or away may be meant; a slip of the fingers names nobody for ever.",
        "${{EDITOR:-vi}} {quoted}",
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
    "daemon_not_for_you": Rule(
        _P,
        "The system's daemon runs, and you may not read what it finds.",
        "Its files are for members of the group ollama-locate; a new login is in it.",
        'sudo usermod -aG ollama-locate "$USER"  # then log in again',
        causes=("config_broken",),
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
        "systemd had to start the daemon again, so far this often: {count} ({unit}).",
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
    ),
    "ollama_host_here": Rule(
        _W,
        "OLLAMA_HOST is exported on this machine, which runs Ollama itself: {value}{place}.",
        "`ollama serve` listens where OLLAMA_HOST says. At its next start from this environment it fails: that address "
        "is not this machine's.",
        "{command}",
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
        _P,
        "The check `{check}` ended in an error of its own.",
        "{detail}. That is a fault of ollama-locate: please report it.",
    ),
    "check_hangs": Rule(
        _P,
        "The check `{check}` did not end within {seconds} s.",
        "Something that it asks does not answer: a disk, a socket, a program.",
        "ollama-locate doctor",
    ),
}
