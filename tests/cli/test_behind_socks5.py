"""What the commands say of servers to which only a SOCKS5 proxy leads."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.cli.command import Command
from tests.snapshots import alive, snapshot
from tests.standins.tailscale import node

ONE = '[[tailnet]]\nsocks5 = "127.0.0.1:1055"\n'
FORWARD = '[forward]\nlisten = "127.0.0.1:11435"\n'
NEEDS = "only a SOCKS5 proxy leads to it: programs need the stable address"


@pytest.fixture
def behind(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Gpu, with this as the config."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "config/ollama-locate/config.toml"
    file.parent.mkdir(parents=True)

    def put(config: str) -> None:
        file.write_text(config)
        run.publish(snapshot({"n2:11434": alive(0.01, "mistral:latest")}, node("gpu", 2), config=config))

    return put


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("ensure", "mistral", "--on", "gpu"), id="nothing is loaded"),
        pytest.param(("ensure", "mistral"), id="nor looked for"),
        pytest.param(("models", "--bench", "mistral", "--on", "gpu", "--yes"), id="nothing is measured"),
    ],
)
def test_nobody_talks_to_it_but_through_the_proxy(
    run: Command, behind: Callable[[str], None], words: tuple[str, ...]
) -> None:
    behind(ONE)
    code, out, err = run(*words)
    assert (code in (1, 4), out) == (True, "")
    assert ("gpu is behind a SOCKS5 proxy" in err) is ("--on" in words), err


def test_why_it_is_not_published_and_what_leads_to_it(run: Command, behind: Callable[[str], None]) -> None:
    behind(ONE)
    said = run("why", "gpu")[1]
    assert NEEDS in said
    assert "127.0.0.1:1055; its work is part of the round trip" in said


def test_a_pin_on_it_needs_the_stable_address(run: Command, behind: Callable[[str], None]) -> None:
    behind(ONE)
    code, _, err = run("pin", "gpu")
    assert code == 1
    assert f"gpu: {NEEDS}" in err
    behind(ONE + FORWARD)
    assert run("pin", "gpu")[0] == 0


def test_two_of_the_same_address_are_told_apart_by_their_tailnets(run: Command) -> None:
    first = snapshot({"n2:11434": alive()}, node("gpu", 2), config=ONE)
    (gpu,) = (one for one in first.servers if one.key == "n2:11434")
    home = replace(gpu, key="home/n2:11434", tailnet="home", withheld="", socks5="")
    work = replace(gpu, key="work/n2:11434", tailnet="work")
    run.publish(replace(first, servers=(home, work)))
    code, _, err = run("pin", "gpu")
    assert code == 1
    assert "`gpu` could be home/gpu, work/gpu: pin one of these" in err
    assert run("pin", "home/gpu")[0] == 0
