"""Statuses as `tailscale status --json` prints them, and executables that print them, hang, flood or lie."""

import json
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ME = 1


def node(name: str, number: int, **more: Any) -> dict[str, Any]:
    """A node of this user's tailnet: 100.64.0.NUMBER."""
    return {
        "ID": f"n{number}",
        "HostName": name,
        "DNSName": f"{name}.tail-lab.ts.net.",
        "OS": "linux",
        "UserID": ME,
        "TailscaleIPs": [f"100.64.0.{number}", f"fd7a:115c:a1e0::{number:x}"],
        "Online": True,
        "CurAddr": f"198.18.0.{number}:41641",
        "Relay": "fra",
    } | more


def status(*peers: dict[str, Any], me: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "Version": "1.102.5",
        "TUN": True,
        "BackendState": "Running",
        "MagicDNSSuffix": "tail-lab.ts.net",
        "Self": me or node("laptop", 1),
        "Peer": {f"nodekey:{place:04x}": peer for place, peer in enumerate(peers)},
        "User": {"1": {"LoginName": "me@example.com"}, "2": {"LoginName": "bob@example.com"}},
    } | more


def raw(*peers: dict[str, Any], **more: Any) -> bytes:
    return json.dumps(status(*peers, **more)).encode()


def executable(path: Path, body: str) -> Path:
    """A shell script in the place of the tailscale command."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def replaying(path: Path, peers: Iterable[dict[str, Any]], **more: Any) -> Path:
    """An executable that prints a status; `show` changes what it prints."""
    show(path, peers, **more)
    return executable(path, f"exec cat '{path}.json'")


def show(path: Path, peers: Iterable[dict[str, Any]], **more: Any) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(raw(*peers, **more))
    fresh.rename(f"{path}.json")
