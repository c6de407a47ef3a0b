# Names that the daemon has published. They are a tailnet's, so that nobody need believe them: compadd quotes what it
# adds, and what is more than a word is not added at all.
_ollama_locate_names() {
  local -a names
  names=(${(f)"$(_call_program names ollama-locate __names $1 2>/dev/null)"})
  names=(${(M)names:#[A-Za-z0-9][A-Za-z0-9:/._-]#})
  (( $#names )) && compadd -a names
}
_ollama_locate_servers() { setopt localoptions extendedglob; _ollama_locate_names servers }
_ollama_locate_peers() { setopt localoptions extendedglob; _ollama_locate_names peers }
_ollama_locate_models() { setopt localoptions extendedglob; _ollama_locate_names models }
_ollama_locate_installed() { setopt localoptions extendedglob; _ollama_locate_names installed }
_ollama_locate_abilities() { setopt localoptions extendedglob; _ollama_locate_names abilities }
_ollama_locate_urls() { setopt localoptions extendedglob; _ollama_locate_names urls }
_ollama_locate_command() {
  if [[ $words[1] == -- ]]; then
    shift words
    (( CURRENT-- ))
  fi
  _normal
}
