"""mDNS with real daemons in network namespaces on one bridge: two find each other, and a third one lies to them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.located.lan import Lan, lan_in
from tests.real.namespaces import until
from tests.standins.announcer import Says

GPU = "http://192.168.77.1:11434"
DEFAULT = "http://localhost:11434"


@pytest.fixture
def lan(tmp_path: Path) -> Iterator[Lan]:
    with lan_in(tmp_path) as made:
        yield made


def test_two_find_each_other_and_who_ends_is_taken_back_until_it_is_there_again(lan: Lan) -> None:
    gpu, laptop = lan.machine("gpu"), lan.machine("laptop")
    gpu.ollama()
    gpu.daemon("[mdns]\nadvertise = true\n")
    laptop.daemon('local = "off"\n[mdns]\nbrowse = true\nallow = ["192.168.77.0/24"]\n')
    laptop.until_decided(GPU, "fresh")
    assert laptop.snapshot()["servers"][0]["kind"] == "mdns"

    gpu.kill_ollama()
    until(lambda: "announced any more" in gpu.log, 20, "the goodbye")
    until(lambda: not laptop.snapshot()["servers"], 20, "who said goodbye and is dead is no server any more")
    assert laptop.decided() == (GPU, "stale")
    gpu.ollama()
    laptop.until_decided(GPU, "fresh")
    assert gpu.stop_daemon() == 0


def test_nothing_that_a_stranger_says_is_published(lan: Lan) -> None:
    gpu, laptop, stranger = lan.machine("gpu"), lan.machine("laptop"), lan.machine("stranger")
    gpu.ollama()
    stranger.ollama()
    there = stranger.address
    laptop.daemon('local = "off"\n[mdns]\nbrowse = true\nallow = ["gpu-box", "192.168.77.9"]\n')
    until(laptop.snapshot, 20, "the first publication")
    stranger.says(
        Says("plain", addresses=(there,)),
        Says("loopback", addresses=("127.0.0.1",)),
        Says("zero", addresses=("0.0.0.0",)),
        Says("mapped", addresses=("::ffff:127.0.0.1",)),
        Says("tailnet", addresses=("100.64.0.2",)),
        Says("far", "gpu-box", addresses=("8.8.8.8",)),
        Says("yourself", addresses=(laptop.address,)),
        Says("other", port=22, addresses=("192.168.77.9",)),
        Says("escape", "esc\x1b[2J", addresses=(there,), txt="allow=yes\x1b[2J"),
    )
    laptop.until_left_alone(
        plain="not_allowed",
        loopback="claims_loopback",
        zero="claims_loopback",
        mapped="claims_loopback",
        tailnet="claims_tailnet",
        far="not_on_lan",
        yourself="own_address",
        other="other_port",
        escape="not_allowed",
    )
    text = (laptop.state / "state.json").read_text()
    assert "esc" in text
    assert "\\u001b" not in text
    assert laptop.decided() == (DEFAULT, "none")

    # The right one has the name first, and keeps it while it answers.
    gpu.says(Says("right", "gpu-box", addresses=(gpu.address,)))
    laptop.until_decided(GPU, "fresh")
    stranger.says(Says("wrong", "gpu-box", addresses=(there,)))
    laptop.until_left_alone(wrong="claimed_twice")
    stranger.says(Says("right", "gpu-box", addresses=(there,), pointer=False))
    stranger.says(Says("right", "gpu-box", addresses=(gpu.address,), ttl=0))
    laptop.until_left_alone(wrong="claimed_twice")
    assert laptop.decided() == (GPU, "fresh")

    stranger.floods(10_000)
    until(lambda: "others are left out" in laptop.log, 20, "the bound is said")
    assert laptop.decided() == (GPU, "fresh")
    assert len(laptop.snapshot()["rejected"]) <= 128
    assert laptop.log.count("others are left out") == 1
    assert laptop.stop_daemon() == 0


def test_who_said_goodbye_and_lives_is_used_on_and_is_remembered(lan: Lan) -> None:
    gpu, laptop = lan.machine("gpu"), lan.machine("laptop")
    gpu.ollama()
    gpu.daemon("[mdns]\nadvertise = true\n")
    browses = 'local = "off"\n[mdns]\nbrowse = true\nallow = ["192.168.77.0/24"]\n'
    laptop.daemon(browses)
    laptop.until_decided(GPU, "fresh")
    assert gpu.stop_daemon() == 0
    assert laptop.stop_daemon() == 0
    assert laptop.decided() == (GPU, "fresh")
    laptop.daemon(browses)
    laptop.until_published_again()
    assert laptop.decided() == (GPU, "fresh")


def test_what_cannot_be_done_is_said(lan: Lan) -> None:
    gpu = lan.machine("gpu")
    gpu.ollama("127.0.0.1")
    gpu.daemon("[mdns]\nadvertise = true\n")
    gpu.until_problem("answers at 127.0.0.1 only")
    gpu.reconfigure('[mdns]\nadvertise = true\ninterfaces = ["wlan7"]\n')
    gpu.until_problem("no interface of wlan7 is up")
    gpu.reconfigure("")
    gpu.until_problem("")
    gpu.link("down")
    gpu.reconfigure("[mdns]\nbrowse = true\n")
    gpu.until_problem("mDNS: no interface is up")
    gpu.link("up")
    gpu.until_problem("")
    assert "internal error" not in gpu.log
