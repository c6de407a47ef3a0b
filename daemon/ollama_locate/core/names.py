"""Which names may be set as variables. One list for the config and for every shell's hook."""

import re
from typing import Final

from .text import is_variable

NAME: Final = "OLLAMA_LOCATE_NAME"
"""The one name of our own that a config may set: the server's, for prompts."""

FORBIDDEN: Final = (
    # How programs, libraries and other code are found and started.
    *("PATH", "CDPATH", "FPATH", "MANPATH", "MODULE_PATH", "SHELL", "EDITOR", "VISUAL", "FCEDIT", "PAGER", "BROWSER"),
    *("LD_*", "DYLD_*", "GCONV_PATH", "LESSOPEN", "LESSCLOSE", "GIT_*", "SSH_*", "SUDO_*"),
    *("PYTHON*", "PERL*", "RUBY*", "NODE_*", "JAVA_*", "_JAVA_*", "LUA_*"),
    # Who and where one is.
    *("HOME", "USER", "USERNAME", "LOGNAME", "UID", "EUID", "GID", "EGID", "GROUPS", "PWD", "OLDPWD", "TMPDIR"),
    *("LANG", "LANGUAGE", "LC_*", "TERM", "TERMINFO*", "TTY*", "COLUMNS", "LINES", "XDG_*", "DBUS_*"),
    # What shells themselves live by, or change when it is assigned to.
    *("IFS", "ENV", "PS0", "PS1", "PS2", "PS3", "PS4", "RPS1", "RPS2", "PROMPT*", "RPROMPT*", "SPROMPT", "TRANSIENT_*"),
    *("BASH*", "SHELLOPTS", "SHLVL", "POSIXLY_CORRECT", "INPUTRC", "READLINE_*", "COMP_*", "COMPREPLY", "COPROC"),
    *(
        "HIST*",
        "SAVEHIST",
        "MAIL*",
        "TMOUT",
        "IGNOREEOF",
        "FIGNORE",
        "GLOBIGNORE",
        "EXECIGNORE",
        "FUNCNAME",
        "FUNCNEST",
    ),
    *("RANDOM", "SRANDOM", "SECONDS", "EPOCH*", "LINENO", "OPTARG", "OPTERR", "OPTIND", "PIPESTATUS", "PPID", "REPLY"),
    *("DIRSTACK*", "MAPFILE", "HOSTNAME", "HOSTTYPE", "MACHTYPE", "OSTYPE", "CHILD_MAX", "_", "argv", "status"),
    *("ZDOTDIR", "ZSH*", "ZLE*", "zsh_*", "NULLCMD", "READNULLCMD", "POSTEDIT", "KEYTIMEOUT", "WORDCHARS", "WATCH*"),
    *("path", "cdpath", "fpath", "manpath", "mailpath", "module_path", "fignore", "histchars", "prompt", "psvar"),
    *("options", "functions", "aliases", "commands", "pipestatus", "signals", "watch", "ARGC", "ERRNO", "STTY"),
    *("fish_*", "FISH_*", "history", "hostname", "version", "umask", "CMD_DURATION*"),
    *("NU_*", "config", "ENV_CONVERSIONS", "FILE_PWD", "CURRENT_FILE", "LAST_EXIT_CODE"),
    # Our own switches, and what our shell code works with.
    *("OLLAMA_LOCATE_*", "__ol*"),
)
"""Names, and beginnings of names where a `*` stands at the end."""

REGEX: Final = "|".join(glob.replace("*", ".*") for glob in FORBIDDEN)
GLOBS: Final = "|".join(FORBIDDEN)
_FORBIDDEN: Final = re.compile(REGEX)


def may_be_set(name: str) -> bool:
    """Whether a config may set this variable."""
    return is_variable(name) and (name == NAME or _FORBIDDEN.fullmatch(name) is None)
