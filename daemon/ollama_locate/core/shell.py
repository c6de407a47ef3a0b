"""The files that shells source. Both apply the rule of the marker, which docs/files.md states.

The marker, OLLAMA_LOCATE_APPLIED, lists what was set: a variable is ours to change only if it is unset,
empty, or stands there with its present value. Whatever else it holds was set by hand, and wins.
"""

from collections.abc import Mapping
from typing import Final

# POSIX sh: dash, bash from 3.2, zsh, ksh; safe under `set -eu`. No `local`, which POSIX lacks: the names are
# prefixed and removed. The values are of [A-Za-z0-9:/._-] and brackets, so that no quoting can go wrong.
_SH: Final = """\
# Written by ollama-located. Source it; do not edit it.
__ollama_locate_apply() {
  __ol_off=
  case ${OLLAMA_LOCATE_OFF-} in '' | 0) ;; *) __ol_off=1 ;; esac
  __ol_left="${OLLAMA_LOCATE_APPLIED-},"
  __ol_mark=,
  while [ -n "$__ol_left" ]; do
    __ol_item=${__ol_left%%,*}
    __ol_left=${__ol_left#*,}
    __ol_key=${__ol_item%%=*}
    case $__ol_key in '' | [0-9]* | *[!A-Za-z0-9_]*) continue ;; esac
    eval "__ol_now=\\${$__ol_key-}"
    if [ "$__ol_item" = "$__ol_key=$__ol_now" ]; then
      case "$__ol_off, @KEYS@ " in
        , | ,*" $__ol_key "*) ;;
        *) unset "$__ol_key"; continue ;;
      esac
    fi
    __ol_mark="$__ol_mark$__ol_item,"
  done
  if [ -n "$__ol_off" ]; then
    unset OLLAMA_LOCATE_APPLIED
  else
    for __ol_item in "$@"; do
      __ol_key=${__ol_item%%=*}
      eval "__ol_now=\\${$__ol_key-}"
      case $__ol_now in
        *,*) ;;
        *) case "$__ol_mark" in *",$__ol_key=$__ol_now,"*) __ol_now= ;; esac ;;
      esac
      if [ -z "$__ol_now" ]; then
        case "$__ol_mark" in
          *",$__ol_key="*)
            __ol_left=${__ol_mark#*",$__ol_key="}
            __ol_mark="${__ol_mark%%",$__ol_key="*},${__ol_left#*,}"
            ;;
        esac
        __ol_mark="$__ol_mark$__ol_item,"
        export "$__ol_item"
      fi
    done
    __ol_mark=${__ol_mark#,}
    export OLLAMA_LOCATE_APPLIED="${__ol_mark%,}"
  fi
  unset __ol_off __ol_left __ol_mark __ol_item __ol_key __ol_now
}
__ollama_locate_apply@PAIRS@
unset -f __ollama_locate_apply
"""

_FISH: Final = """\
# Written by ollama-located. Source it; do not edit it.
function __ollama_locate_apply
    set -l off 0
    if set -q OLLAMA_LOCATE_OFF; and not contains -- "$OLLAMA_LOCATE_OFF" '' 0
        set off 1
    end
    set -l mark
    for item in (string split , -- "$OLLAMA_LOCATE_APPLIED")
        set -l key (string split -m 1 = -- $item)[1]
        string match -qr '^[A-Za-z_][A-Za-z0-9_]*$' -- "$key"; or continue
        if test "$item" = "$key=$$key"
            if test $off = 1; or not contains -- $key @KEYS@
                set -e $key
                continue
            end
        end
        set -a mark $item
    end
    if test $off = 1
        set -e OLLAMA_LOCATE_APPLIED
        return
    end
    for item in $argv
        set -l key (string split -m 1 = -- $item)
        if test -z "$$key[1]"; or contains -- "$key[1]=$$key[1]" $mark
            set -l rest
            for old in $mark
                string match -q -- "$key[1]=*" $old; or set -a rest $old
            end
            set mark $rest $item
            set -gx $key[1] $key[2]
        end
    end
    set -gx OLLAMA_LOCATE_APPLIED (string join , -- $mark)
end
__ollama_locate_apply@PAIRS@
functions -e __ollama_locate_apply
"""


def sh(variables: Mapping[str, str]) -> str:
    """`env.sh`, for `. env.sh` in any POSIX shell."""
    return _fill(_SH, variables)


def fish(variables: Mapping[str, str]) -> str:
    """`env.fish`, for `source env.fish`."""
    return _fill(_FISH, variables)


def dotenv(variables: Mapping[str, str]) -> str:
    """`env`: one KEY=value a line and the marker last; for systemd, docker, dotenv and Lua."""
    marker = {"OLLAMA_LOCATE_APPLIED": ",".join(f"{key}={value}" for key, value in variables.items())}
    return "".join(f"{key}={value}\n" for key, value in {**variables, **marker}.items())


def _fill(template: str, variables: Mapping[str, str]) -> str:
    pairs = "".join(f" '{key}={value}'" for key, value in variables.items())
    return template.replace("@KEYS@", " ".join(variables)).replace("@PAIRS@", pairs)
