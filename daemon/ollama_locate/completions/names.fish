# Names that the daemon has published. They are a tailnet's, so that nobody need believe them: what is more than a word
# is not offered.
function _ollama_locate_names
    command ollama-locate __names $argv[1] 2>/dev/null | string match -r '^[A-Za-z0-9][A-Za-z0-9:/._-]*$'
end
function _ollama_locate_servers; _ollama_locate_names servers; end
function _ollama_locate_peers; _ollama_locate_names peers; end
function _ollama_locate_models; _ollama_locate_names models; end
function _ollama_locate_installed; _ollama_locate_names installed; end
function _ollama_locate_abilities; _ollama_locate_names abilities; end
function _ollama_locate_urls; _ollama_locate_names urls; end
function _ollama_locate_command
    set -l words (commandline -opc)
    # ollama-locate, exec, and what is ours of the options.
    set -e words[1..2]
    while set -q words[1]
        switch $words[1]
            case --model --wait
                set -e words[1]
            case --
                set -e words[1]
                break
            case '-*'
            case '*'
                break
        end
        set -e words[1]
    end
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end
