# shellcheck shell=bash
# ollama-locate in bash 3.2 and newer: the variables follow the daemon at every prompt, by the rule of the marker.
# Written by ollama-located, or printed by `ollama-locate hook bash`; do not edit it. Nothing in here forks.
# Names begin with __ol, as no variable in the file may: what is `local` here must not hide it.

__ollama_locate_file=@FILE@
__ollama_locate_left=
__ollama_locate_found=
__ollama_locate_keys=(OLLAMA_LOCATE_APPLIED)
__ollama_locate_on=1
__ollama_locate_version=$((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1]))

__ollama_locate_hook() {
  local __ol_status=$? __ol_text='' __ol_now __ol_key
  if [[ -n ${OLLAMA_LOCATE_OFF-} && $OLLAMA_LOCATE_OFF != 0 ]]; then
    __ollama_locate_left=
    [[ -z ${OLLAMA_LOCATE_APPLIED+set} ]] || __ollama_locate_clear
  elif [[ -f $__ollama_locate_file && -r $__ollama_locate_file ]] && __ollama_locate_read; then
    # All that a call leaves behind: the text, the marker, and each variable that may be ours.
    __ol_now=$__ol_text
    for __ol_key in "${__ollama_locate_keys[@]}"; do __ol_now+=$'\n'${!__ol_key-}; done
    if [[ $__ol_now != "$__ollama_locate_left" ]]; then
      __ollama_locate_apply
      __ollama_locate_left=$__ol_text
      for __ol_key in "${__ollama_locate_keys[@]}"; do __ollama_locate_left+=$'\n'${!__ol_key-}; done
    fi
    [[ -z ${__ollama_locate_first-} ]] || __ollama_locate_note
  fi
  # A shell that runs under `set -e` would end here.
  [[ $- == *e* ]] || return "$__ol_status"
}

# bash-preexec keeps a command from running, under extdebug, when this returns anything else.
__ollama_locate_preexec() {
  __ollama_locate_hook
  return 0
}

# The file's text into __ol_text; fails where it is too large. With -N bash reads by the block; with -d '' it reads by
# the byte before 5.2.
if ((__ollama_locate_version >= 401)); then
  __ollama_locate_read() { ! IFS= read -r -N @LIMIT@ __ol_text <"$__ollama_locate_file"; }
else
  __ollama_locate_read() {
    local __ol_line='' __ol_count=0
    while ((__ol_count++ <= @LINES@)) && IFS= read -r __ol_line; do
      __ol_text+=$__ol_line$'\n'
    done <"$__ollama_locate_file"
    __ol_text+=$__ol_line
    ((${#__ol_text} < @LIMIT@))
  }
fi

__ollama_locate_apply() {
  local __ol_pairs __ol_names=' ' __ol_mark=, __ol_pair __ol_key __ol_old
  local __ol_word=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz
  __ol_pairs=()
  __ollama_locate_found=
  __ollama_locate_keys=(OLLAMA_LOCATE_APPLIED)
  __ollama_locate_parse || return 0
  __ollama_locate_forget
  for __ol_pair in ${__ol_pairs[@]+"${__ol_pairs[@]}"}; do
    __ol_key=${__ol_pair%%=*}
    __ol_old=${!__ol_key-}
    __ollama_locate_keys+=("$__ol_key")
    if [[ -z $__ol_old || ($__ol_old != *,* && $__ol_mark == *",$__ol_key=$__ol_old,"*) ]]; then
      # One that is read-only was set by hand.
      export "$__ol_pair" 2>/dev/null || continue
      while [[ $__ol_mark == *",$__ol_key="* ]]; do
        __ol_old=${__ol_mark#*",$__ol_key="}
        __ol_mark=${__ol_mark%%",$__ol_key="*},${__ol_old#*,}
      done
      __ol_mark+=$__ol_pair,
    fi
  done
  __ol_mark=${__ol_mark#,}
  export OLLAMA_LOCATE_APPLIED="${__ol_mark%,}"
}

# The file's lines into __ol_pairs; fails unless each of them is one that the daemon writes.
__ollama_locate_parse() {
  local __ol_rest=$__ol_text __ol_line='' __ol_key __ol_count=0
  # Of all ways to read, only this one shows a NUL: it ends there.
  if IFS= read -r -d '' -n @LIMIT@ __ol_line 2>/dev/null <"$__ollama_locate_file"; then return 1; fi
  [[ $__ol_line == "$__ol_text" && $__ol_text == *$'\n' ]] || return 1
  while [[ -n $__ol_rest ]]; do
    __ol_line=${__ol_rest%%$'\n'*}
    __ol_rest=${__ol_rest#*$'\n'}
    __ol_key=${__ol_line%%=*}
    ((__ol_count++ < @LINES@)) || return 1
    case $__ol_line in
      OLLAMA_LOCATE_APPLIED=*[!]:/.,=[$__ol_word-]*) return 1 ;;
      OLLAMA_LOCATE_APPLIED=*) continue ;;
      *=) return 1 ;;
      *=*) ;;
      *) return 1 ;;
    esac
    case ${__ol_line#*=} in *[!]:/.[$__ol_word-]*) return 1 ;; esac
    __ollama_locate_may_set "$__ol_key" || return 1
    __ol_pairs+=("$__ol_line")
    __ol_names+="$__ol_key "
    [[ $__ol_key != OLLAMA_ENDPOINT ]] || __ollama_locate_found=${__ol_line#*=}
  done
}

__ollama_locate_may_set() {
  case $1 in
    OLLAMA_LOCATE_NAME) ;;
    '' | [0123456789]* | *[!$__ol_word]*) return 1 ;;
    @FORBIDDEN@) return 1 ;;
  esac
}

# The marker's entries into __ol_mark; what is still ours, and not among __ol_names any more, is unset.
__ollama_locate_forget() {
  local __ol_rest=${OLLAMA_LOCATE_APPLIED-}, __ol_item __ol_key
  while [[ -n $__ol_rest ]]; do
    __ol_item=${__ol_rest%%,*}
    __ol_rest=${__ol_rest#*,}
    __ol_key=${__ol_item%%=*}
    __ollama_locate_may_set "$__ol_key" || continue
    if [[ $__ol_names != *" $__ol_key "* ]]; then
      if [[ $__ol_item == "$__ol_key=${!__ol_key-}" ]]; then
        unset "$__ol_key" 2>/dev/null || :
        continue
      fi
      __ollama_locate_keys+=("$__ol_key")
    fi
    __ol_mark+=$__ol_item,
  done
}

__ollama_locate_clear() {
  local __ol_names=' ' __ol_mark=,
  local __ol_word=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz
  __ollama_locate_forget
  unset OLLAMA_LOCATE_APPLIED
}

# At the first prompt, once for this shell and those that it starts.
__ollama_locate_note() {
  __ollama_locate_first=
  [[ $- == *i* && -z ${OLLAMA_LOCATE_NOTED-} && -n $__ollama_locate_found ]] || return 0
  [[ -n ${OLLAMA_ENDPOINT-} && $OLLAMA_ENDPOINT != "$__ollama_locate_found" ]] || return 0
  export OLLAMA_LOCATE_NOTED=1
  printf 'ollama-locate: OLLAMA_ENDPOINT is set by hand and hides %s, which was found. To follow: %s\n' \
    "$__ollama_locate_found" 'unset OLLAMA_ENDPOINT' >&2
}

__ollama_locate_attach() {
  local __ol_loaded=${bash_preexec_imported-}${__bp_imported-}
  if [[ -n $__ol_loaded ]]; then
    [[ " ${precmd_functions[*]-} " == *' __ollama_locate_hook '* ]] || precmd_functions+=(__ollama_locate_hook)
  elif [[ ${PROMPT_COMMAND[*]-} != *__ollama_locate_hook* ]]; then
    if ((__ollama_locate_version >= 501)) && [[ -n ${PROMPT_COMMAND[*]+set} && ${PROMPT_COMMAND[*]@a} == *a* ]]; then
      PROMPT_COMMAND+=(__ollama_locate_hook)
    else
      # In a shell that inherits the text and not the function it is nothing. Assigned to by printf: if it is
      # read-only, an assignment would end this file.
      printf -v PROMPT_COMMAND '%s%s' "${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}" \
        '${__ollama_locate_on:+__ollama_locate_hook}' 2>/dev/null || :
    fi
  fi
  if [[ -z $__ol_loaded ]] && ((__ollama_locate_version >= 503)); then
    if [[ ${PS0-} != *__ollama_locate_hook* ]] && shopt -q promptvars; then
      printf -v PS0 '%s%s' "${PS0-}" '${__ollama_locate_on:+${ __ollama_locate_hook; }}' 2>/dev/null || :
    fi
  elif [[ " ${preexec_functions[*]-} " != *' __ollama_locate_preexec '* ]]; then
    preexec_functions+=(__ollama_locate_preexec)
  fi
}

__ollama_locate_attach
__ollama_locate_hook || :
__ollama_locate_first=1
