"""Which start-up files a shell reads, and which lines in them are ours or against us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.startup import Home, Kind, find, line_for, scan

STATE = "/home/me/.local/state/ollama-locate"


@pytest.mark.parametrize(
    ("shell", "home", "read", "others"),
    [
        pytest.param(
            "bash", Home("/h", {}), ["/h/.bashrc"], ["/h/.bash_profile", "/h/.bash_login", "/h/.profile"], id="bash"
        ),
        pytest.param(
            "bash",
            Home("/h", {}, macos=True),
            ["/h/.bash_profile", "/h/.bash_login", "/h/.profile"],
            ["/h/.bashrc"],
            id="bash on macOS, whose terminals start login shells",
        ),
        pytest.param("zsh", Home("/h", {}), ["/h/.zshrc", "/h/.zshenv"], ["/h/.zprofile", "/h/.zlogin"], id="zsh"),
        pytest.param(
            "zsh",
            Home("/h", {"ZDOTDIR": "/z/"}, macos=True),
            ["/z/.zshrc", "/z/.zshenv", "/z/.zprofile", "/z/.zlogin"],
            [],
            id="zsh elsewhere, on macOS",
        ),
        pytest.param(
            "zsh",
            Home("/h", {"ZDOTDIR": "rel"}),
            ["/h/.zshrc", "/h/.zshenv"],
            ["/h/.zprofile", "/h/.zlogin"],
            id="a relative path is none",
        ),
        pytest.param(
            "fish", Home("/h", {}), ["/h/.config/fish/config.fish", "/h/.config/fish/conf.d/*.fish"], [], id="fish"
        ),
        pytest.param(
            "nu",
            Home("/h", {"XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d"}),
            [
                "/d/nushell/vendor/autoload/*.nu",
                "/c/nushell/config.nu",
                "/c/nushell/env.nu",
                "/c/nushell/autoload/*.nu",
            ],
            [],
            id="nu",
        ),
        pytest.param("tcsh", Home("/h", {}), [], [], id="a shell that cannot follow"),
    ],
)
def test_find(shell: str, home: Home, read: list[str], others: list[str]) -> None:
    files = find(shell, home)
    assert [file.path for file in files if file.terminal] == read
    assert [file.path for file in files if not file.terminal] == others


def test_nu_keeps_its_files_elsewhere_on_macos() -> None:
    paths = [file.path for file in find("nu", Home("/h", {}, macos=True))]
    assert all(path.startswith("/h/Library/Application Support/nushell/") for path in paths)


@pytest.mark.parametrize(
    ("line", "kind", "name"),
    [
        pytest.param(
            'f=~/.local/state/ollama-locate/hook.bash; [ -r "$f" ] && . "$f"', Kind.HOOK, "bash", id="README, bash"
        ),
        pytest.param(
            "test -r ~/.local/state/ollama-locate/hook.fish; and source ~/.local/state/ollama-locate/hook.fish",
            Kind.HOOK,
            "fish",
            id="README, fish",
        ),
        pytest.param('eval "$(ollama-locate hook zsh)"', Kind.HOOK, "zsh", id="eval"),
        pytest.param("ollama-locate init fish | source", Kind.HOOK, "fish", id="init is hook"),
        pytest.param(
            'const f = "~/.local/state/ollama-locate/hook.nu" | path expand', Kind.HOOK, "nu", id="nu's const"
        ),
        pytest.param("# ollama-locate in nu: the variables follow", Kind.HOOK, "", id="the file that nu reads"),
        pytest.param("__ollama_locate_file='/x/env'", Kind.HOOK, "", id="the hook itself, pasted"),
        pytest.param(". ~/.local/state/ollama-locate/env.sh", Kind.ENV, "", id="env.sh"),
        pytest.param('eval "$(ollama-locate env)"', Kind.ENV, "", id="the command env"),
        pytest.param(". /elsewhere/hook.bash", Kind.HOOK, "bash", id="another state folder"),
        pytest.param("export OLLAMA_ENDPOINT=http://10.0.0.1:11434", Kind.SET, "OLLAMA_ENDPOINT", id="export"),
        pytest.param("  OLLAMA_HOST=gpu", Kind.SET, "OLLAMA_HOST", id="bare, indented"),
        pytest.param(
            "true; export OLLAMA_ENDPOINT=$(ollama-locate)", Kind.SET, "OLLAMA_ENDPOINT", id="frozen, after another"
        ),
        pytest.param("if x; then export OLLAMA_HOST=foo; fi", Kind.SET, "OLLAMA_HOST", id="after then"),
        pytest.param("[ -n x ] && export OLLAMA_HOST=foo", Kind.SET, "OLLAMA_HOST", id="after &&"),
        pytest.param("OLLAMA_HOST='a b'; export OLLAMA_HOST", Kind.SET, "OLLAMA_HOST", id="bare, and more"),
        pytest.param("OLLAMA_HOST=x # mine", Kind.SET, "OLLAMA_HOST", id="bare, with a remark"),
        pytest.param("set -gx OLLAMA_ENDPOINT http://x", Kind.SET, "OLLAMA_ENDPOINT", id="fish"),
        pytest.param("set -g -x OLLAMA_HOST x", Kind.SET, "OLLAMA_HOST", id="fish, two flags"),
        pytest.param("$env.OLLAMA_ENDPOINT = 'http://x'", Kind.SET, "OLLAMA_ENDPOINT", id="nu"),
        pytest.param("source ~/.bash-preexec.sh", Kind.PREEXEC, "", id="bash-preexec"),
        pytest.param("[ -f ~/.bashrc ] && . ~/.bashrc", Kind.BASHRC, "", id="a login file that reads bashrc"),
    ],
)
def test_a_line_of_interest(line: str, kind: Kind, name: str) -> None:
    found = scan(f"# first\n\n{line}\nalias ll='ls -l'\n", folder="/elsewhere")
    assert found == [(3, kind, name, line.strip())]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("# export OLLAMA_ENDPOINT=http://x", id="a comment"),
        pytest.param("#. ~/.local/state/ollama-locate/hook.bash", id="our line, taken out"),
        pytest.param('eval "$(ollama-locate hook bash --off)"', id="off"),
        pytest.param('[ "$OLLAMA_ENDPOINT" == x ]', id="a comparison"),
        pytest.param("if $env.OLLAMA_ENDPOINT == x {", id="a comparison in nu"),
        pytest.param("echo $OLLAMA_HOST", id="a use"),
        pytest.param("MY_OLLAMA_HOST=x", id="another name"),
        pytest.param("set -g OLLAMA_HOST x", id="fish, not exported"),
        pytest.param("source ~/.config/hook.bash", id="somebody else's hook"),
        pytest.param("unset OLLAMA_ENDPOINT", id="unset"),
        pytest.param("OLLAMA_HOST=x ollama run mistral", id="for one command"),
        pytest.param("alias o='OLLAMA_HOST=x ollama run'", id="within an alias"),
    ],
)
def test_a_line_of_no_interest(line: str) -> None:
    assert scan(line) == []


def test_nothing_is_watched_where_nobody_says_what() -> None:
    assert scan("OLLAMA_HOST=x", watched=()) == []


@given(st.text())
def test_any_text_can_be_scanned(text: str) -> None:
    for line in scan(text):
        assert 1 <= line.number <= len(text.splitlines())


@pytest.mark.parametrize(
    ("shell", "folder", "line"),
    [
        (
            "bash",
            STATE,
            "[ -r ~/.local/state/ollama-locate/hook.bash ] && . ~/.local/state/ollama-locate/hook.bash",
        ),
        (
            "zsh",
            "/var/lib/ollama-locate",
            "[ -r /var/lib/ollama-locate/hook.zsh ] && . /var/lib/ollama-locate/hook.zsh",
        ),
        (
            "bash",
            "/home/me/it's/ollama-locate",
            "[ -r '/home/me/it'\\''s/ollama-locate/hook.bash' ] && . '/home/me/it'\\''s/ollama-locate/hook.bash'",
        ),
        (
            "fish",
            STATE,
            "test -r ~/.local/state/ollama-locate/hook.fish; and source ~/.local/state/ollama-locate/hook.fish",
        ),
        ("nu", STATE, "ollama-locate hook nu"),
    ],
    ids=["bash", "zsh, the system's folder", "a quote in the path", "fish", "nu"],
)
def test_the_line_that_makes_it_follow_is_one_that_is_found(shell: str, folder: str, line: str) -> None:
    assert line_for(shell, folder, "/home/me") == line
    assert [one.kind for one in scan(line, folder)] == [Kind.HOOK]


def test_nu_s_files_on_linux() -> None:
    paths = [file.path for file in find("nu", Home("/h", {}))]
    assert paths == [
        "/h/.local/share/nushell/vendor/autoload/*.nu",
        "/h/.config/nushell/config.nu",
        "/h/.config/nushell/env.nu",
        "/h/.config/nushell/autoload/*.nu",
    ]
    moved = find("nu", Home("/h", {"XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "relative"}))
    assert [file.path.split("/nushell/")[0] for file in moved] == ["/h/.local/share", *["/c"] * 3]


def test_a_line_that_does_two_things_is_one_of_interest() -> None:
    assert len(scan("export OLLAMA_HOST=a; export OLLAMA_ENDPOINT=b")) == 1
    assert [one.kind for one in scan(". ~/ollama-locate/env.sh; export OLLAMA_HOST=a")] == [Kind.ENV]


def test_files_of_others_are_theirs() -> None:
    assert scan(". /elsewhere/env.sh", folder="/mine") == []
    assert scan(". ~/project/env.sh") == []
    assert [one.kind for one in scan(". /mine/env.sh", folder="/mine")] == [Kind.ENV]
