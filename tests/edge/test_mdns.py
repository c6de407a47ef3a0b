"""What is announced is heard, and so is its end: real datagrams, in a network namespace of its own."""

import json
from typing import Any

import pytest

from .namespace import LINUX, in_a_namespace

SCRIPT = """
import asyncio, json, sys
from ollama_locate.core.mdns import chosen
from ollama_locate.edge.announce import Announcement, Offer
from ollama_locate.edge.interfaces import links, own
from ollama_locate.edge.mdns import Browser

class Hearer:
    def __init__(self):
        self.said, self.news = [], asyncio.Event()
    def known(self, name, host):
        return []
    def heard(self, sighting):
        self.note(["heard", sighting.name, sighting.host, sighting.port, sorted(sighting.addresses)])
    def gone(self, name):
        self.note(["gone", name])
    def flooded(self):
        self.note(["flooded"])
    def note(self, what):
        if what not in self.said:
            self.said.append(what)
            self.news.set()
    async def more(self):
        await asyncio.wait_for(self.news.wait(), 10)
        self.news.clear()

async def main():
    (link,) = chosen(links(), ())
    hearer = Hearer()
    browser = Browser(hearer, ["_ollama._tcp.local."], [link.four])
    announcement = Announcement(Offer((link.four, "fd00::7"), 11434, "0.17.4"), "gpu-box")
    await announcement.say()
    await hearer.more()
    await announcement.take_back()
    await hearer.more()
    late = Announcement(Offer((link.four,), 8080, "0.17.4"), "gpu-box")
    await late.say()
    await hearer.more()
    await browser.close()
    # Who begins later hears of it by asking.
    other = Hearer()
    browser = Browser(other, ["_ollama._tcp.local."], [link.four])
    await other.more()
    await browser.close()
    await late.take_back()
    print(json.dumps({"link": link.name, "own": sorted(own()), "said": hearer.said, "other": other.said}))

asyncio.run(main())
"""
FIRST, SECOND = (f"gpu-box-10-9-8-7-{port}._ollama._tcp.local." for port in (11434, 8080))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    ups = ("link add eth0 type veth peer name far", "link set far up", "link set eth0 up")
    out: dict[str, Any] = json.loads(in_a_namespace(SCRIPT, before=(*ups, "address add 10.9.8.7/24 dev eth0")))
    return out


@LINUX
def test_an_announcement_and_its_goodbye_are_heard(found: dict[str, Any]) -> None:
    assert found["said"] == [
        ["heard", FIRST, "gpu-box.local", 11434, ["10.9.8.7", "fd00::7"]],
        ["gone", FIRST],
        ["heard", SECOND, "gpu-box.local", 8080, ["10.9.8.7"]],
    ]


@LINUX
def test_who_comes_later_asks_and_is_answered(found: dict[str, Any]) -> None:
    assert found["other"] == [["heard", SECOND, "gpu-box.local", 8080, ["10.9.8.7"]]]


@LINUX
def test_the_interface_that_is_up_is_found_with_its_addresses(found: dict[str, Any]) -> None:
    assert found["link"] == "eth0"
    assert {"10.9.8.7", "127.0.0.1"} <= set(found["own"])
