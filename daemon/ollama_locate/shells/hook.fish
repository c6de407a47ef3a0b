# ollama-locate in fish: the variables follow the daemon at every prompt, and before every command, by the rule of the
# marker. Written by ollama-located, or printed by `ollama-locate hook fish`; do not edit it. Nothing in here forks.
# Names begin with __ol, as no variable in the file may: what is local here must not hide it.

set -g __ollama_locate_file @FILE@
set -g __ollama_locate_left
set -g __ollama_locate_found
set -g __ollama_locate_keys OLLAMA_LOCATE_APPLIED
set -g __ollama_locate_first 0

function __ollama_locate_hook --on-event fish_prompt --on-event fish_preexec
    if set -q OLLAMA_LOCATE_OFF; and not contains -- "$OLLAMA_LOCATE_OFF" '' 0
        set -g __ollama_locate_left
        set -q OLLAMA_LOCATE_APPLIED; and __ollama_locate_clear
        return 0
    end
    test -f "$__ollama_locate_file" -a -r "$__ollama_locate_file"; or return 0
    set -l fish_read_limit @BYTES@
    set -l __ol_text
    read -z __ol_text <$__ollama_locate_file; or return 0
    # All that a call leaves behind: the text, the marker, and the value of each variable that may be ours.
    set -l __ol_now "$__ol_text" $$__ollama_locate_keys
    if test "$__ol_now" != "$__ollama_locate_left"
        __ollama_locate_apply "$__ol_text"
        set -g __ollama_locate_left "$__ol_text" $$__ollama_locate_keys
    end
    test $__ollama_locate_first = 1; and __ollama_locate_note
    return 0
end

function __ollama_locate_apply
    set -g __ollama_locate_found
    set -g __ollama_locate_keys OLLAMA_LOCATE_APPLIED
    set -l __ol_pairs (__ollama_locate_parse $argv[1]); or return
    set -l __ol_names
    for __ol_pair in $__ol_pairs
        set -a __ol_names (string split -m 1 = -- $__ol_pair)[1]
    end
    set -l __ol_mark
    __ollama_locate_forget
    for __ol_pair in $__ol_pairs
        set -l __ol_word (string split -m 1 = -- $__ol_pair)
        set -a __ollama_locate_keys $__ol_word[1]
        test $__ol_word[1] = OLLAMA_ENDPOINT; and set __ollama_locate_found $__ol_word[2]
        if test -z "$$__ol_word[1]"; or contains -- "$__ol_word[1]=$$__ol_word[1]" $__ol_mark
            set -gx $__ol_word[1] $__ol_word[2]; or continue
            set -l __ol_rest
            for __ol_item in $__ol_mark
                string match -q -- "$__ol_word[1]=*" $__ol_item; or set -a __ol_rest $__ol_item
            end
            set __ol_mark $__ol_rest $__ol_pair
        end
    end
    set -gx OLLAMA_LOCATE_APPLIED (string join , -- $__ol_mark)
end

# The file's lines; fails unless each of them is one that the daemon writes.
function __ollama_locate_parse
    # A NUL ends `read -z`, and would not be seen below.
    string match -qrv '^[ -~]*$' <$__ollama_locate_file; and return 1
    string match -q -- '*'\n "$argv[1]"; or return 1
    set -l __ol_lines (string split \n -- "$argv[1]")
    set -e __ol_lines[-1]
    test (count $__ol_lines) -le @LINES@; or return 1
    for __ol_line in $__ol_lines
        string match -qr '^OLLAMA_LOCATE_APPLIED=[A-Za-z0-9:/._\-\[\]=,]*$' -- $__ol_line; and continue
        string match -qr '^[A-Za-z_][A-Za-z0-9_]*=[A-Za-z0-9:/._\-\[\]]+$' -- $__ol_line; or return 1
        __ollama_locate_may_set (string split -m 1 = -- $__ol_line)[1]; or return 1
        echo $__ol_line
    end
    return 0
end

function __ollama_locate_may_set
    test $argv[1] = OLLAMA_LOCATE_NAME; and return 0
    string match -qr '^[A-Za-z_][A-Za-z0-9_]*$' -- $argv[1]; or return 1
    not string match -qr '^(?:@FORBIDDEN@)$' -- $argv[1]
end

# The marker's entries into the caller's __ol_mark; what is still ours, and not among its __ol_names any more, is unset.
function __ollama_locate_forget --no-scope-shadowing
    for __ol_item in (string split , -- "$OLLAMA_LOCATE_APPLIED")
        set -l __ol_key (string split -m 1 = -- $__ol_item)[1]
        __ollama_locate_may_set "$__ol_key"; or continue
        if not contains -- $__ol_key $__ol_names
            if test $__ol_item = "$__ol_key=$$__ol_key"
                set -e $__ol_key
                continue
            end
            set -a __ollama_locate_keys $__ol_key
        end
        set -a __ol_mark $__ol_item
    end
end

function __ollama_locate_clear
    set -l __ol_names
    set -l __ol_mark
    __ollama_locate_forget
    set -e OLLAMA_LOCATE_APPLIED
end

# At the first prompt, once for this shell and those that it starts.
function __ollama_locate_note
    set -g __ollama_locate_first 0
    status is-interactive; and not set -q OLLAMA_LOCATE_NOTED; and test -n "$__ollama_locate_found"; or return
    test -n "$OLLAMA_ENDPOINT"; and test "$OLLAMA_ENDPOINT" != "$__ollama_locate_found"; or return
    set -gx OLLAMA_LOCATE_NOTED 1
    echo "ollama-locate: OLLAMA_ENDPOINT is set by hand and hides $__ollama_locate_found, which was found." \
        "To follow: set -e OLLAMA_ENDPOINT" >&2
end

__ollama_locate_hook
set -g __ollama_locate_first 1
