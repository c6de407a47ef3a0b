"""The daemon on two tailnets, and on one that only a SOCKS5 proxy leads into."""

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.located.harness import Lab, until
from tests.located.test_live import Bell
from tests.standins import tailscale
from tests.standins.tailscale import node

CALM = "1h"


def door(path: str) -> socket.socket:
    """A socket behind which somebody is, who says nothing."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(path)
    made.listen()
    return made


class Two:
    """A home, which the lab has, and a work, to which one peer belongs."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.work = lab.folder / "work"
        self.command = lab.folder / "both"
        self._script(f"exec cat '{self.work}.json'")
        me = node("laptop", 99, UserID=7)
        self.doors = {path: door(path) for path in (str(lab.socket), f"{self.work}.sock")}
        tailscale.show(self.work, [node("box", 12, ID="n2", UserID=7)], Self=me)

    def _script(self, at_work: str) -> None:
        fresh = tailscale.executable(
            self.lab.folder / "new",
            f'[ "$2 $3" = "status --json" ] || exit 2\ncase "$1" in\n'
            f"--socket={self.work}.sock) {at_work} ;;\n"
            f"--socket={self.lab.socket}) exec cat '{self.lab.command}.json' ;;\n*) exit 3 ;;\nesac",
        )
        fresh.rename(self.command)

    def ends(self, path: str) -> None:
        """No tailscaled is behind this socket any more."""
        self.doors.pop(path).close()
        Path(path).unlink()

    def hangs(self) -> None:
        self._script("exec sleep 60")

    def configure(self, more: str = "", interval: str = "1s") -> None:
        fresh = self.lab.config.with_suffix(".new")
        fresh.write_text(
            f'tailscale = "{self.command}"\ninterval = "{interval}"\nlocal = "off"\n'
            f'[[tailnet]]\nname = "home"\nsocket = "{self.lab.socket}"\n'
            f'[[tailnet]]\nname = "work"\nsocket = "{self.work}.sock"\n{more}'
        )
        fresh.rename(self.lab.config)

    def states(self) -> dict[str, str]:
        return {one["name"]: one["state"] for one in self.lab.snapshot().get("tailnets", [])}


@pytest.fixture
def two(lab: Lab) -> Iterator[Two]:
    """Gpu at home, which is near, and box at work, which is far; they have the same ID."""
    made = Two(lab)
    made.configure()
    lab.machine("gpu", 2, 0.01)
    lab.machine("box", 12, 0.05)
    del lab.peers["box"]
    lab.show()
    yield made
    for one in made.doors.values():
        one.close()


def test_one_that_stops_is_left_and_comes_back(two: Two) -> None:
    lab = two.lab
    lab.start()
    lab.until_decided("gpu")
    until(lambda: lab.standing("box") == "slower", "both are asked")
    assert {one["key"] for one in lab.snapshot()["servers"]} == {"home/n2:11434", "work/n2:11434"}
    lab.show(BackendState="Stopped")
    lab.until_decided("box")
    assert two.states() == {"home": "stopped", "work": "running"}
    assert lab.standing("gpu") == "unreachable"
    lab.show()
    lab.until_decided("gpu")
    assert two.states() == {"home": "running", "work": "running"}
    assert "tailnet home: Tailscale is turned off" in lab.log
    said = lab.ask("status").stdout
    assert "tailnet home\trunning, here is laptop\ntailnet work\trunning, here is laptop\n" in said
    assert lab.ask("why", "work/box").stdout.startswith("box: slower: ")


def test_one_whose_tailscaled_has_ended_is_away_at_once(two: Two) -> None:
    """The command would try again for seconds, as there is another tailscaled on the machine."""
    lab = two.lab
    two.hangs()
    two.ends(f"{two.work}.sock")
    lab.start()
    lab.until_decided("gpu")
    until(lambda: two.states() == {"home": "running", "work": "not_running"}, "it is said")


def test_an_address_of_both_is_nobodys(two: Two) -> None:
    lab = two.lab
    lab.start()
    lab.until_decided("gpu")
    tailscale.show(two.work, [node("twin", 2, ID="n9", UserID=7)], Self=node("laptop", 99, UserID=7))
    until(lambda: lab.decided()[1] == "none", "neither may be asked")
    left = {f"{one['tailnet']}/{one['name']}": one["reason"] for one in lab.snapshot()["rejected"]}
    assert left == {"home/gpu": "address_twice", "work/twin": "address_twice"}
    assert "work/twin\t100.64.0.2\tanother tailnet of this machine uses its address as well" in lab.ask("why").stdout


def test_one_that_hangs_holds_up_no_other(two: Two) -> None:
    """Neither the first answer, nor a change that the other one's tailscaled tells of while it hangs."""
    lab = two.lab
    two.hangs()
    two.configure(interval=CALM)
    two.ends(str(lab.socket))
    bell = Bell(lab.socket)
    try:
        lab.machine("nas", 3, 0.001)
        nas = lab.peers.pop("nas")
        lab.show()
        lab.start()
        until(bell.answer, "the daemon listens")
        lab.until_decided("gpu")
        lab.peers["nas"] = nas
        lab.show()
        bell.ring()
        assert lab.until_decided("nas") < 3, "it is given up after 5 s"
        assert two.states()["work"] in {"unknown", "hung"}
    finally:
        bell.close()
    assert "tailnet home: tailscaled says by itself when the tailnet changes" in lab.log


def test_the_config_may_take_one_out_and_in_again(two: Two) -> None:
    lab = two.lab
    lab.start()
    lab.until_decided("gpu")
    until(lambda: two.states() == {"home": "running", "work": "running"}, "both")
    whole = lab.config.read_text()
    lab.config.write_text(whole.partition('[[tailnet]]\nname = "work"')[0])
    assert lab.ask("refresh").returncode == 0
    until(lambda: lab.standing("box") == "gone" and lab.snapshot()["tailnets"] == [], "only home is left")
    assert lab.decided() == ("gpu", "fresh"), "its server is the same one"
    lab.config.write_text(whole)
    assert lab.ask("refresh").returncode == 0
    until(lambda: lab.standing("box") == "slower", "both again")


# --- behind a proxy


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def tailscaled(lab: Lab) -> Iterator[None]:
    """Somebody is behind the socket of the lab's tailnet."""
    with door(str(lab.socket)):
        yield


def behind(lab: Lab, forward: int | None) -> None:
    """Gpu, to which only the proxy leads; `forward` is the port of the stable address."""
    lab.machine("gpu", 2, 0.01)
    where = lab.socks5(2)
    text = f'tailscale = "{lab.command}"\ninterval = "1s"\nlocal = "off"\n'
    text += f'[[tailnet]]\nsocket = "{lab.socket}"\nsocks5 = "{where}"\n'
    text += f'[forward]\nlisten = "127.0.0.1:{forward}"\n' if forward else ""
    lab.config.write_text(text)


@pytest.mark.usefixtures("tailscaled")
def test_the_stable_address_is_published_and_answers_through_the_proxy(lab: Lab) -> None:
    port = free_port()
    behind(lab, port)
    lab.start()
    lab.until_decided("gpu")
    assert lab.snapshot()["decision"]["endpoint"] == f"http://127.0.0.1:{port}"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/version", timeout=5) as answer:
        assert json.load(answer)["version"]
    assert f"http://127.0.0.1:{port}\n" == (lab.state / "endpoint").read_text()
    assert f"mistral:latest\thttp://127.0.0.1:{port}\n" in (lab.state / "models").read_text()
    until(lambda: lab.snapshot()["decision"]["sentinel"] == "socks5", "it is watched through the proxy")
    why = lab.ask("why", "gpu").stdout
    assert "its work is part of the round trip, which a clock has taken" in why
    assert lab.ask("pin", "gpu").stdout == f"http://127.0.0.1:{port}\n"
    assert lab.ask("models").stdout.startswith("mistral:latest\t")
    lab.kill("socks5")
    lab.until_decided("gpu", "stale")
    assert lab.snapshot()["decision"]["endpoint"] == f"http://127.0.0.1:{port}", "and nothing that nobody can reach"


@pytest.mark.usefixtures("tailscaled")
def test_after_a_restart_it_is_the_same_and_is_never_published_where_no_program_reaches_it(lab: Lab) -> None:
    port = free_port()
    behind(lab, port)
    lab.start()
    lab.until_decided("gpu")
    lab.stop()
    started = time.time()
    lab.start()
    until(lambda: lab.snapshot()["pid"] == lab.daemons[-1].pid, "the second one has published")
    lab.until_decided("gpu")
    assert (lab.state / "endpoint").stat().st_mtime < started, "the endpoint was the same all the time"


@pytest.mark.usefixtures("tailscaled")
def test_without_the_stable_address_it_is_found_and_not_published(lab: Lab) -> None:
    behind(lab, None)
    lab.start()
    until(lambda: lab.standing("gpu") == "needs_forward", "it is found")
    assert lab.decided() == ("default", "none")
    said = lab.ask("why").stdout
    assert "needs forward" in said
    assert "`[forward]` with `listen` in the config" in said
    with lab.config.open("a") as config:
        config.write(f'[forward]\nlisten = "127.0.0.1:{free_port()}"\n')
    assert lab.ask("refresh").returncode == 0
    lab.until_decided("gpu")
