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
    eval "__ol_now=\${$__ol_key-}"
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
      eval "__ol_now=\${$__ol_key-}"
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
