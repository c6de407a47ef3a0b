# ollama-locate in zsh: the variables follow the daemon at every prompt, and before every command, by the rule of the
# marker. Written by ollama-located, or printed by `ollama-locate hook zsh`; do not edit it. Nothing in here forks.
# Names begin with __ol, as no variable in the file may: what is `local` here must not hide it.

typeset -g __ollama_locate_file=@FILE@
typeset -g __ollama_locate_left= __ollama_locate_found= __ollama_locate_first=
typeset -ga __ollama_locate_keys
__ollama_locate_keys=(OLLAMA_LOCATE_APPLIED)

__ollama_locate_hook() {
  emulate -LR zsh
  local __ol_text= __ol_now= __ol_key= __ol_size=0
  if [[ -n ${OLLAMA_LOCATE_OFF-} && $OLLAMA_LOCATE_OFF != 0 ]]; then
    __ollama_locate_left=
    [[ -z ${OLLAMA_LOCATE_APPLIED+set} ]] || __ollama_locate_clear
  elif [[ -f $__ollama_locate_file && -r $__ollama_locate_file ]] &&
    sysread -c __ol_size __ol_text <$__ollama_locate_file && { (( __ol_size < 8192 )) || __ollama_locate_read }; then
    # All that a call leaves behind: the text, the marker, and each variable that may be ours.
    for __ol_key in $__ollama_locate_keys; do __ol_now+=${(P)__ol_key}$'\n'; done
    if [[ $__ol_text$__ol_now != "$__ollama_locate_left" ]]; then
      __ollama_locate_apply
      __ollama_locate_left=$__ol_text
      for __ol_key in $__ollama_locate_keys; do __ollama_locate_left+=${(P)__ol_key}$'\n'; done
    fi
    [[ -z $__ollama_locate_first ]] || __ollama_locate_note
  fi
  return 0
}

# A file that is larger than sysread's buffer; fails where it is too large.
__ollama_locate_read() {
  sysread -c __ol_size -s @LIMIT@ __ol_text <$__ollama_locate_file && (( __ol_size < @LIMIT@ ))
}

__ollama_locate_apply() {
  local __ol_pair __ol_key __ol_old
  local -a __ol_pairs __ol_names __ol_mark
  __ollama_locate_found=
  __ollama_locate_keys=(OLLAMA_LOCATE_APPLIED)
  __ollama_locate_parse || return 0
  __ollama_locate_forget
  for __ol_pair in $__ol_pairs; do
    __ol_key=${__ol_pair%%=*}
    __ol_old=${(P)__ol_key}
    __ollama_locate_keys+=($__ol_key)
    [[ -z $__ol_old || -n ${__ol_mark[(re)$__ol_key=$__ol_old]} ]] || continue
    # Read-only or of another type: set by hand.
    [[ ${(Pt)__ol_key} == (|scalar*) && ${(Pt)__ol_key} != *(readonly|special)* ]] || continue
    export "$__ol_pair"
    __ol_mark=(${__ol_mark:#$__ol_key=*} $__ol_pair)
  done
  export OLLAMA_LOCATE_APPLIED=${(j:,:)__ol_mark}
}

# The file's lines into __ol_pairs; fails unless each of them is one that the daemon writes.
__ollama_locate_parse() {
  [[ $__ol_text == *$'\n' ]] || return 1
  local __ol_line __ol_key
  local -a __ol_lines
  __ol_lines=("${(@f)${__ol_text%$'\n'}}")
  (( $#__ol_lines <= @LINES@ )) || return 1
  for __ol_line in "${__ol_lines[@]}"; do
    __ol_key=${__ol_line%%=*}
    case $__ol_line in
      (OLLAMA_LOCATE_APPLIED=*[^]A-Za-z0-9:/._,=[-]*) return 1 ;;
      (OLLAMA_LOCATE_APPLIED=*) continue ;;
      (*=) return 1 ;;
      (*=*) ;;
      (*) return 1 ;;
    esac
    [[ ${__ol_line#*=} != *[^]A-Za-z0-9:/._[-]* ]] || return 1
    __ollama_locate_may_set "$__ol_key" || return 1
    __ol_pairs+=("$__ol_line")
    __ol_names+=("$__ol_key")
    [[ $__ol_key != OLLAMA_ENDPOINT ]] || __ollama_locate_found=${__ol_line#*=}
  done
}

__ollama_locate_may_set() {
  case $1 in
    (OLLAMA_LOCATE_NAME) ;;
    (''|[0-9]*|*[^A-Za-z0-9_]*) return 1 ;;
    (@FORBIDDEN@) return 1 ;;
  esac
}

# The marker's entries into __ol_mark; what is still ours, and not among __ol_names any more, is unset.
__ollama_locate_forget() {
  local __ol_item __ol_key
  for __ol_item in ${(s:,:)OLLAMA_LOCATE_APPLIED}; do
    __ol_key=${__ol_item%%=*}
    __ollama_locate_may_set "$__ol_key" || continue
    if (( ! ${__ol_names[(Ie)$__ol_key]} )); then
      if [[ $__ol_item == "$__ol_key=${(P)__ol_key}" && ${(Pt)__ol_key} != *(readonly|special)* ]]; then
        unset $__ol_key
        continue
      fi
      __ollama_locate_keys+=($__ol_key)
    fi
    __ol_mark+=($__ol_item)
  done
}

__ollama_locate_clear() {
  local -a __ol_names __ol_mark
  __ollama_locate_forget
  unset OLLAMA_LOCATE_APPLIED
}

# At the first prompt, once for this shell and those that it starts.
__ollama_locate_note() {
  __ollama_locate_first=
  [[ -o interactive && -z ${OLLAMA_LOCATE_NOTED-} && -n $__ollama_locate_found ]] || return 0
  [[ -n ${OLLAMA_ENDPOINT-} && $OLLAMA_ENDPOINT != "$__ollama_locate_found" ]] || return 0
  export OLLAMA_LOCATE_NOTED=1
  print -ru2 -- "ollama-locate: OLLAMA_ENDPOINT is set by hand and hides $__ollama_locate_found," \
    "which was found. To follow: unset OLLAMA_ENDPOINT"
}

__ollama_locate_attach() {
  emulate -LR zsh
  typeset -ga precmd_functions preexec_functions
  (( ${precmd_functions[(Ie)__ollama_locate_hook]} )) || precmd_functions+=(__ollama_locate_hook)
  (( ${preexec_functions[(Ie)__ollama_locate_hook]} )) || preexec_functions+=(__ollama_locate_hook)
}

if zmodload zsh/system; then
  # zsh runs preexec in scripts too, and there nothing should change between two commands.
  [[ ! -o interactive ]] || __ollama_locate_attach
  __ollama_locate_hook
  __ollama_locate_first=1
fi
