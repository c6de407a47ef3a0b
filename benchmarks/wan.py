"""The WAN: a process that carries every IPv4 packet between two TUN devices, each peer with its own delay.

    python -m benchmarks.wan CLIENT_NAMESPACE PEERS_NAMESPACE LINKS

LINKS is a JSON object {"100.65.0.1": 20.5, …}: one-way milliseconds by the peer's address. A peer that is not
listed is silent: its packets are dropped both ways. To each packet an exponential jitter of JITTER_MS on
average is added. Says `ready` once both devices are there, and ends when its standard input does, so that it
never outlives the run that started it.

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


def pump(client: int, peers: int, delays: dict[bytes, float]) -> None:
    """Delays in seconds, by the packed address. A heap orders what is under way."""
    under_way: list[tuple[float, int, int, bytes]] = []
    count, stdin = 0, sys.stdin.fileno()
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        ready, _, _ = select.select([client, peers, stdin], [], [], wait)
        if stdin in ready:
            return
        for source in ready:
            for packet in arrivals(source):
                if len(packet) < HEADER or packet[0] >> 4 != IPV4:
                    continue
                delay = delays.get(packet[16:20] if source == client else packet[12:16])
                if delay is None:
                    continue
                count += 1
                due = time.monotonic() + delay + random.expovariate(1e3 / JITTER_MS)
                heapq.heappush(under_way, (due, count, peers if source == client else client, packet))
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, target, packet = heapq.heappop(under_way)
            os.write(target, packet)


def main() -> None:
    client, peers = tun(sys.argv[1]), tun(sys.argv[2])
    links: dict[str, float] = json.loads(Path(sys.argv[3]).read_text())
    print("ready", flush=True)
    pump(client, peers, {socket.inet_aton(address): delay / 1e3 for address, delay in links.items()})


if __name__ == "__main__":
    main()
