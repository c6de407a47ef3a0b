# bash ends a word at each `:` and `=` ($COMP_WORDBREAKS), and a model's name has the one, --model=M the other: what
# was typed is divided anew, at blanks and at the `=` of an option, and of the answers the part is kept that is missing.
_ollama_locate() {
  local typed=${COMP_LINE:0:COMP_POINT} word have=
  local -a split words
  IFS=$' \t' read -ra split <<<"$typed"
  [[ $typed == *[[:blank:]] ]] && split+=('')
  for word in "${split[@]}"; do
    if [[ $word == --*=* && $COMP_WORDBREAKS == *=* ]]; then
      words+=("${word%%=*}" "${word#*=}")
    else
      words+=("$word")
    fi
  done
  local last=$((${#words[@]} - 1)) index=1
  if [[ ${words[1]-} == exec ]]; then
    # The program, and then its words: the first that is neither an option of ours nor an option's value.
    for ((index = 2; index <= last; index++)); do
      case ${words[index]} in
        --model | --wait) ((index++)) ;;
        --) ((index++)); break ;;
        -*) ;;
        *) break ;;
      esac
    done
    if ((index <= last)); then
      _ollama_locate_program "$index" "$last" "${words[@]}"
      return
    fi
  fi
  local -a COMP_WORDS
  local COMP_CWORD=$last
  COMP_WORDS=("${words[@]}")
  _shtab_ollama_locate
  word=${words[last]}
  [[ $word == *:* && $COMP_WORDBREAKS == *:* ]] && have=${word%"${word##*:}"}
  for index in "${!COMPREPLY[@]}"; do
    COMPREPLY[index]=${COMPREPLY[index]#"$have"}
  done
}

# $1: where the program's name stands, $2: where the cursor is, then all words.
_ollama_locate_program() {
  local at=$1 last=$2 line
  shift 2
  local -a words=("$@")
  COMPREPLY=()
  if ((at < last)) && declare -F _command_offset >/dev/null; then
    _command_offset "$((at + COMP_CWORD - last))"
    return
  fi
  compopt -o filenames 2>/dev/null
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(if ((at == last)); then compgen -c -- "${words[last]}"; else compgen -f -- "${words[last]}"; fi)
}
complete -o bashdefault -F _ollama_locate ollama-locate
