"""The mix of peers, drawn from a seed, and what `tailscale status --json` says of them.

Of 20 peers 3 are alive, 8 refuse, 9 are silent; of more, 5 % are alive, 45 % refuse, 50 % are silent. The round
trips of those that answer are spread evenly over 20-80 ms. All are untagged nodes of this machine's own user
and `Online`, the hardest case: nothing tells the silent ones apart.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

SELF = "100.64.0.1"
PORT = 11434
LEAST_RTT_MS, GREATEST_RTT_MS = 20.0, 80.0
# DESIGN: a server is better only when it is at least 10 ms *and* one third better.
BAND_MS, BAND_SHARE = 10.0, 1 / 3


@dataclass(frozen=True, slots=True)
class Peer:
    """`kind` is alive, refusing or silent; `rtt_ms` is the emulated round trip without its jitter."""

    number: int
    kind: str
    rtt_ms: float

    @property
    def address(self) -> str:
        return f"100.65.{self.number // 250}.{1 + self.number % 250}"

    @property
    def url(self) -> str:
        return f"http://{self.address}:{PORT}"


def mix(count: int, seed: int, nearest_ms: float = LEAST_RTT_MS) -> list[Peer]:
    """The same peers for the same seed; no server nearer than `nearest_ms`."""
    draw = random.Random(seed)
    alive = 3 if count == 20 else count * 5 // 100
    silent = 9 if count == 20 else count // 2
    kinds = ["alive"] * alive + ["silent"] * silent
    kinds += ["refusing"] * (count - len(kinds))
    draw.shuffle(kinds)
    least = {"alive": nearest_ms}
    return [Peer(i, kind, draw.uniform(least.get(kind, LEAST_RTT_MS), GREATEST_RTT_MS)) for i, kind in enumerate(kinds)]


def alive(peers: list[Peer]) -> list[Peer]:
    """Those that run an Ollama, the nearest first."""
    return sorted((peer for peer in peers if peer.kind == "alive"), key=lambda peer: peer.rtt_ms)


def good_enough(peers: list[Peer]) -> set[str]:
    """The URLs that count as the best: the nearest, and those it is not clearly better than."""
    running = alive(peers)
    best = running[0].rtt_ms
    return {peer.url for peer in running if peer.rtt_ms - best < BAND_MS or best > peer.rtt_ms * (1 - BAND_SHARE)}


def links(peers: list[Peer]) -> str:
    """For the emulator: one-way milliseconds; silent peers are left out."""
    return json.dumps({peer.address: peer.rtt_ms / 2 for peer in peers if peer.kind != "silent"})


def node(number: int, name: str, address: str) -> dict[str, Any]:
    """A node with every field that tailscale 1.102 writes, 1.9 kB when indented as it does."""
    never = "0001-01-01T00:00:00Z"
    v6 = f"fd7a:115c:a1e0::{number:x}"
    capabilities = [
        "https://tailscale.com/cap/file-sharing",
        "https://tailscale.com/cap/funnel-ports?ports=8080,443",
        "https",
        "funnel",
    ]
    return {
        "ID": f"nBENCH{number:06d}",
        "NodeID": number,
        "PublicKey": f"nodekey:{number:064x}",
        "HostName": name,
        "DNSName": f"{name}.tail-bench.ts.net.",
        "OS": "linux",
        "UserID": 123,
        "TailscaleIPs": [address, v6],
        "AllowedIPs": [f"{address}/32", f"{v6}/128"],
        "Addrs": None,
        "CurAddr": "198.18.0.10:41641",
        "Relay": "fra",
        "PeerRelay": "",
        "RxBytes": 5920,
        "TxBytes": 7768,
        "Created": "2026-01-01T00:00:00Z",
        "LastWrite": "2026-11-24T01:03:00.69878037Z",
        "LastSeen": never,
        "LastHandshake": "2026-11-24T01:02:49.141624123Z",
        "Online": True,
        "ExitNode": False,
        "ExitNodeOption": False,
        "Active": False,
        "PeerAPIURL": [f"http://{address}:34152", f"http://[{v6}]:34152"],
        "TaildropTarget": 1,
        "NoFileSharingReason": "",
        "Capabilities": capabilities,
        "CapMap": {name: [] for name in capabilities},
        "InNetworkMap": True,
        "InMagicSock": True,
        "InEngine": True,
    }


def status(peers: list[Peer]) -> bytes:
    """The whole answer, indented as tailscale does."""
    me = node(60_000, "laptop", SELF)
    listed = (node(peer.number + 1, f"peer-{peer.number}", peer.address) for peer in peers)
    tailnet = {
        "Version": "1.102.5",
        "TUN": True,
        "BackendState": "Running",
        "HaveNodeKey": True,
        "AuthURL": "",
        "TailscaleIPs": me["TailscaleIPs"],
        "Self": me,
        "Health": [],
        "MagicDNSSuffix": "tail-bench.ts.net",
        "CurrentTailnet": {
            "Name": "bench@example.net",
            "MagicDNSSuffix": "tail-bench.ts.net",
            "MagicDNSEnabled": True,
        },
        "CertDomains": None,
        "ExtraRecords": None,
        "Peer": {each["PublicKey"]: each for each in listed},
        "User": {"123": {"ID": 123, "LoginName": "bench@example.net", "DisplayName": "Bench", "ProfilePicURL": ""}},
        "ClientVersion": None,
    }
    return json.dumps(tailnet, indent=2).encode() + b"\n"
