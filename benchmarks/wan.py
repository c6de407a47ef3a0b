"""The WAN: a process that carries every IPv4 packet between TUN devices, each peer with its own delay.

    python -m benchmarks.wan LINKS CLIENT_NAMESPACE PEERS_NAMESPACE [ADDRESS=NAMESPACE…]

LINKS is a JSON object {"100.65.0.1": 20.5, …}: one-way milliseconds by the peer's address. A peer that is not
listed is silent: its packets are dropped both ways. All peers are in one namespace, but for those that are given
one of their own. To each packet an exponential jitter of JITTER_MS on average is added. Says `ready` once all
devices are there. A line `silent ADDRESS` on standard input silences a peer, `heard ADDRESS` ends that. It ends when
its standard input does, so that it never outlives the run that started it.

netem would do the same in the kernel, where the kernel has it; this needs TUN only.
"""

from __future__ import annotations

import fcntl
import heapq
import json
import os
import random
import select
import socket
import struct
import sys
import time
from pathlib import Path

from benchmarks.namespaces import enter, move

JITTER_MS = 0.5
DEVICE = "tailscale0"
TUNSETIFF = 0x400454CA
IFF_TUN_WITHOUT_HEADER = 0x0001 | 0x1000
# Packets taken from one side before the other is looked at.
BATCH = 256
IPV4 = 4
HEADER = 20


def tun(namespace: str) -> int:
    """A TUN device in that namespace; this process itself stays where it is."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    enter(namespace)
    try:
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN_WITHOUT_HEADER))
    finally:
        move(home)
        os.close(home)
    return device


def arrivals(source: int) -> list[bytes]:
    packets = []
    for _ in range(BATCH):
        try:
            packets.append(os.read(source, 65535))
        except BlockingIOError:
            break
    return packets


class Links:
    """Delays in seconds, by the packed address, and whose peers are silent for now."""

    def __init__(self, milliseconds: dict[str, float]) -> None:
        self.delays = {socket.inet_aton(address): delay / 1e3 for address, delay in milliseconds.items()}
        self.hushed: dict[bytes, float] = {}

    def obey(self, lines: str) -> None:
        for line in lines.splitlines():
            word, address = line.split()
            source, target = (self.delays, self.hushed) if word == "silent" else (self.hushed, self.delays)
            packed = socket.inet_aton(address)
            target[packed] = source.pop(packed)


def pump(client: int, peers: int, homes: dict[bytes, int], links: Links) -> None:
    """A heap orders what is under way. `homes`: the devices of the peers that have their own."""
    under_way: list[tuple[float, int, int, bytes]] = []
    count, stdin = 0, sys.stdin.fileno()
    devices = [client, peers, *homes.values(), stdin]
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        ready, _, _ = select.select(devices, [], [], wait)
        if stdin in ready:
            ready.remove(stdin)
            if not (lines := os.read(stdin, 4096)):
                return
            links.obey(lines.decode())
        for source in ready:
            for packet in arrivals(source):
                if len(packet) < HEADER or packet[0] >> 4 != IPV4:
                    continue
                peer = packet[16:20] if source == client else packet[12:16]
                delay = links.delays.get(peer)
                if delay is None:
                    continue
                count += 1
                due = time.monotonic() + delay + random.expovariate(1e3 / JITTER_MS)
                target = homes.get(peer, peers) if source == client else client
                heapq.heappush(under_way, (due, count, target, packet))
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, target, packet = heapq.heappop(under_way)
            os.write(target, packet)


def main() -> None:
    links = Links(json.loads(Path(sys.argv[1]).read_text()))
    client, peers = tun(sys.argv[2]), tun(sys.argv[3])
    own = (word.split("=") for word in sys.argv[4:])
    homes = {socket.inet_aton(address): tun(namespace) for address, namespace in own}
    print("ready", flush=True)
    pump(client, peers, homes, links)


if __name__ == "__main__":
    main()
