# Written by ollama-located. Source it; do not edit it.
function __ollama_locate_apply
    set -l off 0
    if set -q OLLAMA_LOCATE_OFF; and not contains -- "$OLLAMA_LOCATE_OFF" '' 0
        set off 1
    end
    set -l mark
    for item in (string split , -- "$OLLAMA_LOCATE_APPLIED")
        set -l key (string split -m 1 = -- $item)[1]
        string match -qr '^[A-Za-z_][A-Za-z0-9_]*$' -- "$key"; or continue
        if test "$item" = "$key=$$key"
            if test $off = 1; or not contains -- $key @KEYS@
                set -e $key
                continue
            end
        end
        set -a mark $item
    end
    if test $off = 1
        set -e OLLAMA_LOCATE_APPLIED
        return
    end
    for item in $argv
        set -l key (string split -m 1 = -- $item)
        if test -z "$$key[1]"; or contains -- "$key[1]=$$key[1]" $mark
            set -l rest
            for old in $mark
                string match -q -- "$key[1]=*" $old; or set -a rest $old
            end
            set mark $rest $item
            set -gx $key[1] $key[2]
        end
    end
    set -gx OLLAMA_LOCATE_APPLIED (string join , -- $mark)
end
__ollama_locate_apply@PAIRS@
functions -e __ollama_locate_apply
