# Takes the hook of ollama-locate out of this zsh: what is still ours is unset, then all that the hook added is removed.
__ollama_locate_was=${OLLAMA_LOCATE_OFF-}
OLLAMA_LOCATE_OFF=1
@ENV@
OLLAMA_LOCATE_OFF=$__ollama_locate_was
[ -n "$OLLAMA_LOCATE_OFF" ] || unset OLLAMA_LOCATE_OFF

__ollama_locate_off() {
  emulate -LR zsh
  precmd_functions=(${precmd_functions:#__ollama_locate_hook})
  preexec_functions=(${preexec_functions:#__ollama_locate_hook})
  unset OLLAMA_LOCATE_NOTED
  unset -m '__ollama_locate_*'
  unset -fm '__ollama_locate_*'
}
__ollama_locate_off
