"""A running daemon knows which model is where: by the files it writes, and what commands say of them."""

from ollama_locate.core.speed import Speed
from ollama_locate.edge.speeds import keep_speeds
from tests.located.harness import Lab, until
from tests.snapshots import GPU, NAS


def models(lab: Lab) -> dict[str, str]:
    path = lab.state / "models"
    return dict(line.split("\t") for line in path.read_text().splitlines()) if path.exists() else {}


def test_the_file_names_who_has_it_loaded_and_follows_it(lab: Lab) -> None:
    lab.machine("gpu", 2, 0.001, "mistral:latest", "big:70b")
    lab.machine("nas", 3, 0.03, "!mistral:latest")
    lab.start()
    until(lambda: models(lab) == {"mistral:latest": NAS, "big:70b": GPU}, "nas for mistral")
    assert lab.decided() == ("gpu", "fresh")
    assert "it has the model loaded" in lab.ask("why", "--model", "mistral").stdout
    lab.kill("nas")
    until(lambda: models(lab) == {"mistral:latest": GPU, "big:70b": GPU}, "gpu for all")


def test_what_models_can_do_is_known_and_survives_a_restart(lab: Lab) -> None:
    lab.machine("gpu", 2, 0.001, "plain:1", "clever:1=completion,tools")
    lab.start()
    until(lambda: lab.ask("--can", "tools", "--print", "model").stdout == "clever:1\n", "who can use tools")
    before = lab.snapshot()["servers"]
    lab.stop()
    lab.start()
    lab.until_decided("gpu")
    until(lambda: lab.snapshot()["pid"] == lab.daemons[-1].pid, "the new daemon's")
    until(lambda: inventory(lab.snapshot()["servers"]) == inventory(before), "the same models")


def inventory(servers: list[dict[str, object]]) -> object:
    return next(one["inventory"] for one in servers if one["name"] == "gpu")


def test_aliases_and_required_models_follow_the_config(lab: Lab) -> None:
    lab.machine("gpu", 2, 0.001, "mistral:latest")
    lab.machine("nas", 3, 0.05, "coder:7b")
    lab.configure('[models]\nrequire = ["code"]\n[models.alias]\ncode = ["coder:32b", "coder:7b"]\n')
    lab.start()
    lab.until_decided("nas")
    assert models(lab)["code"] == NAS
    assert lab.ask("--model", "code").stdout == NAS + "\n"
    assert lab.ask("--model", "code", "--print", "model").stdout == "coder:7b\n"
    lab.configure('[models]\nrequire = ["nobody-has-it"]\n')
    lab.ask("refresh")
    lab.until_decided("gpu")
    said = "no server that answers has nobody-has-it:latest, which [models] require names; gpu is used anyway"
    until(lambda: said in lab.ask("status").stdout, "the sentence")
    assert "code" not in models(lab)


def test_who_looks_once_asks_for_models_as_well(lab: Lab) -> None:
    lab.machine("gpu", 2, 0.001, "plain:1", "!clever:1=completion,tools")
    assert lab.start("--once").wait(15) == 0
    assert lab.ask("--can", "tools").stdout == GPU + "\n"
    assert "clever:1\t?\t?\ttools\tgpu (loaded on CPU)\n" in lab.ask("models").stdout


def test_by_speed_the_endpoint_follows_what_was_measured(lab: Lab) -> None:
    lab.machine("gpu", 2, 0.04, "mistral:latest")
    lab.machine("pi", 3, 0.002, "mistral:latest")
    lab.configure('rank = "speed"\n')
    lab.start()
    lab.until_decided("pi")
    keep_speeds(lab.state, (Speed("n2:11434", "mistral:latest", "", 1e9, 0.1, 80.0), slow()))
    lab.ask("refresh")
    lab.until_decided("gpu")
    assert "a typical answer takes it longer" in lab.ask("why", "pi").stdout
    (lab.state / "speeds.json").write_text("[")
    lab.ask("refresh")
    until(lambda: "speeds.json: it cannot be read" in lab.ask("status").stdout, "what is wrong")
    assert lab.decided() == ("gpu", "fresh")


def slow() -> Speed:
    return Speed("n3:11434", "mistral:latest", "", 1e9, 0.4, 4.0)


def test_a_model_that_is_not_there_yet_is_waited_for(lab: Lab) -> None:
    lab.machine("gpu", 2, 0.01, "a:1")
    lab.start()
    lab.until_decided("gpu")
    assert lab.ask("--model", "b:1", "--wait", "100ms").returncode == 4
    with lab.asking("--model", "b:1", "--wait", "15s") as asked:
        lab.machine("nas", 3, 0.01, "b:1")
        out, _ = asked.communicate(timeout=15)
    assert (asked.returncode, out) == (0, NAS + "\n")
    assert "--wait" in lab.ask("--wait", "soon").stderr


def test_what_ensure_has_loaded_is_found_by_the_next_command(lab: Lab) -> None:
    port = lab.program("here", "tests.standins.puller", str(lab.folder / "log of pulls"), "old:1")
    lab.configure(f'local = "off"\n[static]\nhere = "http://127.0.0.1:{port}"\n', interval="30s")
    lab.start()
    lab.until_decided("here")
    assert lab.ask("--model", "new:1").returncode == 4
    assert lab.ask("ensure", "new:1").returncode == 0
    assert lab.ask("--model", "new:1").stdout == f"http://127.0.0.1:{port}\n"


def test_nothing_is_pulled_unasked_while_who_has_it_is_asleep(lab: Lab) -> None:
    port = lab.program("here", "tests.standins.puller", str(lab.folder / "log of pulls"), "old:1")
    lab.machine("big-box", 2, 0.001, "deep:70b", "old:1")
    lab.configure(f'local = "off"\nprefer = ["big-box", "*"]\n[static]\nhere = "http://127.0.0.1:{port}"\n')
    lab.start()
    lab.until_decided("big-box")
    until(lambda: lab.ask("--model", "deep:70b").returncode == 0, "its models")
    lab.kill("big-box")
    lab.until_decided("here")
    said = "big-box has it, and does not answer (for "
    assert said in lab.ask("--model", "deep:70b").stderr
    assert "big-box has it, and does not answer" in lab.ask("why", "--model", "deep:70b").stdout
    assert "big-box has deep:70b and old:1, and does not answer (for " in lab.ask("models").stderr
    done = lab.ask("ensure", "deep:70b")
    assert (done.returncode, done.stderr.startswith(said)) == (1, True)
    assert "/api/pull" not in (lab.folder / "log of pulls").read_text()
