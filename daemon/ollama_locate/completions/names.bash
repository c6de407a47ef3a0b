# Names that the daemon has published, of the kind $1, that begin with $2. They are a tailnet's, so that nobody need
# believe them: what bash would read as more than a word is not offered, and nothing here evaluates one.
_ollama_locate_names() {
  local name
  while IFS= read -r name; do
    case $name in
      [!A-Za-z0-9]* | *[!A-Za-z0-9:/._-]*) ;;
      "$2"*) printf '%s\n' "$name" ;;
    esac
  done < <(command ollama-locate __names "$1" 2>/dev/null)
}
_ollama_locate_servers() { _ollama_locate_names servers "$1"; }
_ollama_locate_peers() { _ollama_locate_names peers "$1"; }
_ollama_locate_models() { _ollama_locate_names models "$1"; }
_ollama_locate_installed() { _ollama_locate_names installed "$1"; }
_ollama_locate_abilities() { _ollama_locate_names abilities "$1"; }
_ollama_locate_urls() { _ollama_locate_names urls "$1"; }
# `words.bash` does these before it comes so far.
_ollama_locate_command() { :; }
