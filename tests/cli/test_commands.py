"""Each command, on snapshots that the real core made."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from ollama_locate.core.outcome import Outcome
from ollama_locate.core.snapshot import Snapshot
from tests.cli.command import PEERS, PROBES, Command
from tests.snapshots import GPU, NAS, alive, gone, snapshot
from tests.standins import tailscale
from tests.standins.tailscale import node

# --- url


def test_url_prints_the_endpoint(run: Command) -> None:
    assert run("url", "--strict") == (0, GPU + "\n", "")


def test_stale_exits_3_only_when_asked_to_be_strict(run: Command) -> None:
    run.publish(snapshot(PROBES, raw=tailscale.raw(*PEERS)))
    stale = snapshot({}, raw=b'{"BackendState":"Stopped"}')
    assert stale.decision.verdict == "none"
    fields = {name: getattr(stale.decision, name) for name in stale.decision.__struct_fields__}
    decision = type(stale.decision)(**fields | {"verdict": "stale", "endpoint": GPU, "text": "nobody answers"})
    snap = {name: getattr(stale, name) for name in stale.__struct_fields__}
    run.publish(Snapshot(**snap | {"decision": decision}))
    assert run("url") == (0, GPU + "\n", "ollama-locate: stale: nobody answers\n")
    assert run("url", "--strict")[0] == 3


@pytest.mark.parametrize(
    ("model", "code", "out"),
    [
        pytest.param("mistral", 0, GPU, id="a name without a tag means latest"),
        pytest.param("mistral:latest", 0, GPU, id="the best of two"),
        pytest.param("only-nas:1b", 0, NAS, id="the only one that has it"),
        pytest.param("big:70b,only-nas:1b", 0, NAS, id="the first that exists"),
        pytest.param("qwen3:*", 0, GPU, id="a pattern"),
        pytest.param("nope", 4, "", id="none has it: nothing is printed"),
    ],
)
def test_url_by_model(run: Command, model: str, code: int, out: str) -> None:
    got = run("url", "--model", model)
    assert got[:2] == (code, out + "\n" if out else "")
    assert ("no server that answers has nope:latest; there are: mistral:latest, only-nas:1b, qwen3:8b" in got[2]) == (
        code == 4
    )


def test_the_models_name_instead_of_the_url(run: Command) -> None:
    assert run("--model", "big:70b,qwen3:*", "--print", "model")[:2] == (0, "qwen3:8b\n")
    assert run("--print", "model")[::2] == (2, "ollama-locate: say which: --model M --print model\n")


@pytest.mark.parametrize(
    ("wanted", "models", "sentence"),
    [
        pytest.param("mistrall", ("mistral:latest", "qwen3:8b"), "; did you mean mistral:latest?", id="mistyped"),
        pytest.param("qwen3:8", ("qwen3:8b", "qwen3:4b"), "; did you mean qwen3:8b or qwen3:4b?", id="another size"),
        pytest.param(
            "nope", tuple(f"z{number:02}:x" for number in range(14)), "z10:x, z11:x and 2 more", id="a long list is cut"
        ),
        pytest.param("nope", (), ", nor any other model; `ollama-locate why` says more", id="none at all"),
    ],
)
@pytest.mark.parametrize("words", [("url", "--model"), ("exec", "--require", "--model")], ids=["url", "exec"])
def test_a_model_that_nobody_has_is_answered_with_those_there_are(
    run: Command, words: tuple[str, ...], wanted: str, models: tuple[str, ...], sentence: str
) -> None:
    run.publish(snapshot({"n2:11434": alive(0.01, *models)}, node("gpu", 2)))
    code, out, err = run(*words, wanted, *(["--", "true"] if words[0] == "exec" else []))
    assert (code, out, err.count("\n")) == (4, "", 1)
    assert err.endswith(f"{sentence}\n")


@pytest.mark.parametrize(
    ("probes", "raw", "sentences"),
    [
        pytest.param(
            {"n2:11434": gone(Outcome.REFUSED), "n3:11434": gone(Outcome.REFUSED)},
            tailscale.raw(node("gpu", 2), node("nas", 3)),
            ["gpu, nas: nothing listens on port 11434", "tailscale serve --bg --tcp 11434 tcp://127.0.0.1:11434"],
            id="every refusing peer is named, with the line that mends it",
        ),
        pytest.param({}, b"", ["Tailscale: the tailscale command stopped in the middle"], id="no usable tailscale"),
        pytest.param({}, tailscale.raw(), ["Your tailnet has no other machine"], id="an empty tailnet"),
        pytest.param(
            {"n2:11434": gone(Outcome.FORBIDDEN_HOST)},
            tailscale.raw(node("gpu", 2)),
            ["gpu: answers 403", "OLLAMA_HOST=0.0.0.0"],
            id="a 403 and its mend",
        ),
        pytest.param(
            {"n2:11434": gone(Outcome.SILENT)},
            tailscale.raw(node("gpu", 2)),
            ["gpu: silent. It may be off"],
            id="silent",
        ),
    ],
)
def test_none_found_says_what_to_do(run: Command, probes: dict[str, object], raw: bytes, sentences: list[str]) -> None:
    run.publish(snapshot(probes, raw=raw))  # type: ignore[arg-type]  # the table's values are probes
    code, out, err = run()
    assert (code, out) == (4, "http://localhost:11434\n")
    for sentence in ("no Ollama was found; this is the default", *sentences):
        assert sentence in err


# --- status, why


def test_status_is_tab_separated_elsewhere_than_on_a_terminal(run: Command) -> None:
    code, out, _ = run("status")
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert ["endpoint", GPU] in rows
    assert ["gpu", "chosen", "10.0 ms", "direct", "2", GPU] in rows
    assert ["nas", "slower", "200 ms", "direct", "2", NAS] in rows
    assert ["this machine", "refused", "-", "local", "-", "http://localhost:11434"] in rows
    assert "\x1b" not in out
    assert "2 other peers are left alone" in out


@pytest.mark.parametrize(
    ("value", "mark", "said"),
    [
        pytest.param("http://mine:1", "", True, id="by hand"),
        pytest.param("http://mine:1", "OLLAMA_ENDPOINT=http://mine:1", False, id="ours, of before the last change"),
        pytest.param(GPU, "", False, id="by hand, and the same"),
        pytest.param("", "", False, id="empty is unset"),
    ],
)
def test_status_and_why_say_what_hides_the_found_one(
    run: Command, monkeypatch: pytest.MonkeyPatch, value: str, mark: str, *, said: bool
) -> None:
    monkeypatch.setenv("OLLAMA_ENDPOINT", value)
    monkeypatch.setenv("OLLAMA_LOCATE_APPLIED", mark)
    sentence = f"But in this shell OLLAMA_ENDPOINT was set by hand, to {value}; that wins here."
    assert [(sentence in run(word)[1].splitlines()) for word in ("status", "why")] == [said, said]


def test_the_words_of_the_tables_are_explained_in_their_help(run: Command) -> None:
    first, *others = snapshot(PROBES, *PEERS).servers
    for standing, word in (
        ("lower_tier", "later in order"),
        ("held_down", "failed lately"),
        ("similar", "about as fast"),
    ):
        run.publish(replace(snapshot(PROBES, *PEERS), servers=(replace(first, standing=standing), *others)))
        for command in ("status", "why"):
            assert f"gpu\t{word}\t" in run(command)[1]
            assert f"  {word} " in run(command, "--help")[1]


def test_status_as_json_is_the_snapshot(run: Command) -> None:
    data = json.loads(run("status", "--json")[1])
    assert (data["schema"], data["round"], data["decision"]["endpoint"]) == (1, 7, GPU)


# --- env, config, help


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("sh", f"__ollama_locate_apply 'OLLAMA_ENDPOINT={GPU}'"),
        ("fish", f"__ollama_locate_apply 'OLLAMA_ENDPOINT={GPU}'"),
        ("dotenv", f"OLLAMA_ENDPOINT={GPU}\nOLLAMA_LOCATE_APPLIED=OLLAMA_ENDPOINT={GPU}\n"),
        ("json", f'{{"schema":1,"variables":{{"OLLAMA_ENDPOINT":"{GPU}"}}}}'),
    ],
)
def test_env_in_every_form(run: Command, form: str, text: str) -> None:
    assert text in run("env", "--format", form)[1]


def test_config_says_where_each_value_came_from(run: Command, home: Path) -> None:
    code, out, _ = run("config")
    assert code == 0
    assert out.startswith(f"# {home}/.config/ollama-locate/config.toml (not there: all defaults)\n")
    assert 'interval\t"30s"\tdefault' in out
    path = home / ".config/ollama-locate/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(
        'prefer = ["gpu", "user:Me@x.y"]\n[static]\nbox = "https://box.lan"\n[variables]\nOLLAMA_HOST="{url}"\n'
    )
    code, out, err = run("config")
    assert f'prefer\t["gpu","user:me@x.y"]\t{path}:1' in out
    assert f'static\t{{"box":"https://box.lan:443"}}\t{path}:2' in out
    assert "warning: OLLAMA_HOST is also where `ollama serve` listens" in err
    assert json.loads(run("config", "--json")[1])["settings"]["prefer"]["source"] == f"{path}:1"
    path.write_text(
        '[[feed]]\nformat = "haproxy"\nfile = "/a"\nrun = ["b"]\n[[feed]]\nformat = "litellm"\nfile = "/b"\n'
    )
    assert run("config", "--json")[1].count('"feed":{"value":[{"format":"haproxy","file":"/a","run":["b"],') == 1
    path.write_text('[mdns]\nbrowse = true\nallow = ["GPU-box"]\n')
    assert '"browse":true' in (out := run("config")[1])
    assert '"allow":["gpu-box"]' in out
    path.write_text("\nintervall = '1s'\n")
    assert run("config") == (
        1,
        "",
        f"ollama-locate: {path}:2: unknown key `intervall`; did you mean `interval`?\n",
    )


def test_help_and_version(run: Command) -> None:
    assert run("--version")[:2] == (0, "ollama-locate 0.1.0\n")
    out = run("--help")[1]
    assert "examples:" in out
    assert all(f"    {word} " in out for word in ("url", "status", "why", "refresh", "history", "env", "config"))
    assert run("nonsense")[0] == 2


# --- what is broken


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param('{"schema":2}', "it has schema 2, this program knows 1: upgrade ollama-locate", id="a newer one"),
        pytest.param('{"schema":1', "it cannot be read", id="half a file"),
        pytest.param("[]", "it cannot be read", id="another shape"),
    ],
)
def test_a_state_that_cannot_be_read_is_said_and_not_used(
    run: Command, tmp_path: Path, home: Path, text: str, sentence: str
) -> None:
    standing_alone(home, tmp_path)
    (tmp_path / "state/state.json").write_text(text)
    code, out, err = run("status")
    assert (code, "none runs; this was looked up just now" in out) == (0, True)
    assert sentence in err


def test_without_a_daemon_a_command_looks_for_itself(run: Command, tmp_path: Path, home: Path) -> None:
    standing_alone(home, tmp_path)
    for path in (tmp_path / "state").iterdir():
        path.unlink()
    code, out, err = run()
    assert (code, out) == (4, "http://localhost:11434\n")
    assert "no daemon runs; `ollama-locate service install` runs one for good" in err
    assert "Looked for myself in" in err
    assert run("refresh")[::2] == (
        1,
        "ollama-locate: no daemon runs here; `ollama-locate service install` runs one for good\n",
    )
    assert list((tmp_path / "state").iterdir()) == [], "a command writes nothing"


def test_a_state_folder_that_others_can_write_is_not_believed(run: Command, tmp_path: Path, home: Path) -> None:
    standing_alone(home, tmp_path)
    (tmp_path / "state").chmod(0o777)
    code, out, err = run()
    assert (code, out) == (4, "http://localhost:11434\n")
    assert "others can write" in err


def standing_alone(home: Path, tmp_path: Path) -> None:
    """A machine with Tailscale turned off and no Ollama: nothing to connect to but loopback."""
    stopped = tailscale.executable(tmp_path / "tailscale", 'echo \'{"BackendState":"Stopped"}\'')
    path = home / ".config/ollama-locate/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'tailscale = "{stopped}"\nports = [1]\n')


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(
            ("--model", "mistral", "why"), "ollama-locate why: error: --model goes after `why`", id="an option"
        ),
        pytest.param(("--wait", "1s", "exec", "--", "true"), "--wait goes after `exec`", id="another"),
        pytest.param(("--strict", "status"), "`status` takes no --strict", id="one that the command has not"),
        pytest.param(("why", "--can", "tools"), "usage: ollama-locate why [-h]", id="an unknown one: its own usage"),
        pytest.param(("service", "status", "--odd"), "usage: ollama-locate service [-h]", id="of a command with verbs"),
        pytest.param(("--odd", "why"), "usage: ollama-locate [-h]", id="an unknown one before it"),
        pytest.param(("nope",), "invalid choice: 'nope'", id="no command"),
        pytest.param(("--can", ","), "it names nothing that a model can do", id="no ability"),
    ],
)
def test_nothing_of_the_command_line_is_swallowed(run: Command, words: tuple[str, ...], said: str) -> None:
    code, out, err = run(*words)
    assert (code, out, said in err) == (2, "", True), err


def test_what_stands_before_url_is_heard(run: Command) -> None:
    assert run("--model", "mistral", "url") == (0, f"{GPU}\n", "")


def test_who_runs_a_program_without_its_model_is_told_with_what(run: Command) -> None:
    err = run("exec", "--model", "nope", "--", "no-such-program")[2]
    assert f"it gets gpu, {GPU}, all the same; with --require it would not run\n" in err
