# Takes the hook of ollama-locate out of this fish: what is still ours is unset, then all that the hook added is removed.
begin
    set -lx OLLAMA_LOCATE_OFF 1
    @ENV@
end
set -e OLLAMA_LOCATE_NOTED
for __ollama_locate_each in hook apply parse may_set forget clear note
    functions -e __ollama_locate_$__ollama_locate_each
end
for __ollama_locate_each in file left found keys first each
    set -e __ollama_locate_$__ollama_locate_each
end
