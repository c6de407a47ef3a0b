"""mDNS while interfaces go, come and get other addresses: real daemons in network namespaces on one bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.located.lan import lan_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

GPU = "http://192.168.77.1:11434"


def test_it_is_found_again_after_its_link_went_and_after_its_address_changed(tmp_path: Path) -> None:
    with lan_in(tmp_path) as lan:
        gpu, laptop = lan.machine("gpu"), lan.machine("laptop")
        gpu.ollama()
        gpu.daemon("[mdns]\nadvertise = true\n")
        laptop.daemon('local = "off"\n[mdns]\nbrowse = true\nallow = ["192.168.77.0/24"]\n')
        laptop.until_decided(GPU, "fresh")

        gpu.link("down")
        laptop.until_decided(GPU, "stale")
        gpu.link("up")
        laptop.until_decided(GPU, "fresh")

        gpu.moves("192.168.77.44")
        laptop.until_decided("http://192.168.77.44:11434", "fresh")

        laptop.link("down")
        laptop.until_decided("http://192.168.77.44:11434", "stale")
        gpu.moves("192.168.77.45")
        laptop.link("up")
        laptop.until_decided("http://192.168.77.45:11434", "fresh")
        assert gpu.stop_daemon() == 0
        assert laptop.stop_daemon() == 0
