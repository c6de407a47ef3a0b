# ollama-locate in nu: the variables follow the daemon at every prompt, and before every command, by the rule of the
# marker. Written by ollama-located, or by `ollama-locate hook nu`; do not edit it. Nothing in here starts a process.

const __ollama_locate_file = @FILE@

def --env __ollama_locate_hook [] {
    if ($env.OLLAMA_LOCATE_OFF? | default "") not-in ["" "0"] {
        if "OLLAMA_LOCATE_APPLIED" in $env {
            __ollama_locate_apply --off []
        }
        $env.__ollama_locate.text = ""
        return
    }
    let text = __ollama_locate_read
    if $text == null { return }
    let state = $env.__ollama_locate
    # All that a call leaves behind: the text, the marker, and each variable that may be ours.
    if $text != $state.text or ($env | select --optional ...$state.keys) != $state.left {
        let pairs = __ollama_locate_parse $text
        $env.__ollama_locate.found = ""
        $env.__ollama_locate.keys = [OLLAMA_LOCATE_APPLIED]
        if $pairs != null { __ollama_locate_apply $pairs }
        $env.__ollama_locate.text = $text
        $env.__ollama_locate.left = ($env | select --optional ...$env.__ollama_locate.keys)
    }
    if $state.first { __ollama_locate_note }
}

# The file's text; null where there is none, or too much.
def __ollama_locate_read [] {
    try {
        if ($__ollama_locate_file | path type) not-in [file symlink] { return null }
        let bytes = open --raw $__ollama_locate_file | first @LIMIT@ | into binary
        if ($bytes | bytes length) >= @LIMIT@ { null } else { $bytes | decode utf-8 }
    } catch { null }
}

# A variable as text; one of another type was set by hand.
def __ollama_locate_value [key: string] {
    let value = $env | get --optional $key
    if ($value | describe) == "string" { $value } else if $value == null { "" } else { $"<($value | describe)>" }
}

# The file's variables; null unless each line is one that the daemon writes.
def __ollama_locate_parse [text: string] {
    let variable = '[A-Za-z_][A-Za-z0-9_]*=[A-Za-z0-9:/._\-\[\]]+\n'
    let marker = 'OLLAMA_LOCATE_APPLIED=[A-Za-z0-9:/._\-\[\]=,]*\n'
    if $text !~ ('\A(?:' + $variable + '|' + $marker + ')+\z') { return null }
    let pairs = $text | lines | parse --regex '^(?<key>[^=]+)=(?<value>.*)$' | where key != OLLAMA_LOCATE_APPLIED
    if ($pairs | length) >= @LINES@ or not ($pairs | all {|pair| __ollama_locate_may_set $pair.key }) { return null }
    $pairs
}

def __ollama_locate_may_set [key: string] {
    $key == OLLAMA_LOCATE_NAME or ($key =~ '\A[A-Za-z_][A-Za-z0-9_]*\z' and $key !~ '\A(?:@FORBIDDEN@)\z')
}

def --env __ollama_locate_apply [pairs: list, --off] {
    let names = $pairs | each {|pair| $pair.key }
    mut mark = []
    for item in ($env.OLLAMA_LOCATE_APPLIED? | default "" | split row ",") {
        let key = $item | split row "=" | first
        if not (__ollama_locate_may_set $key) { continue }
        if $key not-in $names {
            if $item == $"($key)=(__ollama_locate_value $key)" {
                hide-env --ignore-errors $key
                continue
            }
            $env.__ollama_locate.keys = ($env.__ollama_locate.keys | append $key)
        }
        $mark = ($mark | append $item)
    }
    for pair in $pairs {
        let now = __ollama_locate_value $pair.key
        $env.__ollama_locate.keys = ($env.__ollama_locate.keys | append $pair.key)
        if $pair.key == OLLAMA_ENDPOINT { $env.__ollama_locate.found = $pair.value }
        if $now == "" or $"($pair.key)=($now)" in $mark {
            load-env {$pair.key: $pair.value}
            $mark = ($mark | where {|item| not ($item | str starts-with $"($pair.key)=") } | append $"($pair.key)=($pair.value)")
        }
    }
    # Hidden without being set before: nu would hide only what was set in here.
    if $off { hide-env OLLAMA_LOCATE_APPLIED } else { $env.OLLAMA_LOCATE_APPLIED = ($mark | str join ",") }
}

# At the first prompt, once for this shell and those that it starts.
def --env __ollama_locate_note [] {
    $env.__ollama_locate.first = false
    let found = $env.__ollama_locate.found
    if $found == "" or ($env.OLLAMA_ENDPOINT? | default "") in ["" $found] or "OLLAMA_LOCATE_NOTED" in $env { return }
    $env.OLLAMA_LOCATE_NOTED = "1"
    print --stderr $"ollama-locate: OLLAMA_ENDPOINT is set by hand and hides ($found), which was found. To follow: hide-env OLLAMA_ENDPOINT"
}

# A record, and so not inherited by a shell that this one starts: there the file is read anew.
if $env.__ollama_locate? == null {
    $env.config.hooks.pre_prompt = ($env.config.hooks.pre_prompt? | default [] | append {|| __ollama_locate_hook })
    $env.config.hooks.pre_execution = ($env.config.hooks.pre_execution? | default [] | append {|| __ollama_locate_hook })
}
$env.__ollama_locate = {text: "", left: {}, keys: [OLLAMA_LOCATE_APPLIED], found: "", first: false}
__ollama_locate_hook
$env.__ollama_locate.first = $nu.is-interactive
