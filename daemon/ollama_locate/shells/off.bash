# Takes the hook of ollama-locate out of this bash: what is still ours is unset, then all that the hook added is removed.
__ollama_locate_was=${OLLAMA_LOCATE_OFF-}
OLLAMA_LOCATE_OFF=1
@ENV@
OLLAMA_LOCATE_OFF=$__ollama_locate_was
[ -n "$OLLAMA_LOCATE_OFF" ] || unset OLLAMA_LOCATE_OFF

# The elements of an array, by its name, without ours.
__ollama_locate_drop() {
  local __ol_item __ol_list __ol_rest
  eval "__ol_list=(\${$1[@]+\"\${$1[@]}\"})"
  __ol_rest=()
  for __ol_item in ${__ol_list[@]+"${__ol_list[@]}"}; do
    case $__ol_item in __ollama_locate_hook | __ollama_locate_preexec) ;; *) __ol_rest+=("$__ol_item") ;; esac
  done
  eval "$1=(\${__ol_rest[@]+\"\${__ol_rest[@]}\"})"
}

__ollama_locate_off() {
  local __ol_ours='${__ollama_locate_on:+__ollama_locate_hook}' __ol_name
  for __ol_name in precmd_functions preexec_functions; do
    case "$(declare -p "$__ol_name" 2>/dev/null)" in *__ollama_locate_*) __ollama_locate_drop "$__ol_name" ;; esac
  done
  case "$(declare -p PROMPT_COMMAND 2>/dev/null)" in
    'declare -'*a*' '*'"__ollama_locate_hook"'*) __ollama_locate_drop PROMPT_COMMAND ;;
    *"$__ol_ours"*)
      PROMPT_COMMAND=${PROMPT_COMMAND//"$__ol_ours";/}
      PROMPT_COMMAND=${PROMPT_COMMAND//$'\n'"$__ol_ours"/}
      PROMPT_COMMAND=${PROMPT_COMMAND//"$__ol_ours"/}
      ;;
  esac
  __ol_ours='${__ollama_locate_on:+${ __ollama_locate_hook; }}'
  case ${PS0-} in *"$__ol_ours"*) PS0=${PS0//"$__ol_ours"/} ;; esac
}

__ollama_locate_off
unset OLLAMA_LOCATE_NOTED "${!__ollama_locate_@}"
for __ollama_locate_was in drop off hook preexec read apply parse may_set forget clear note attach; do
  unset -f "__ollama_locate_$__ollama_locate_was" || :
done
unset __ollama_locate_was
