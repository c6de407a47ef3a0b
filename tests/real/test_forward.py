"""The stable address on the real tailnet: how much time and memory a large upload costs through it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.real.figures import FULL

if TYPE_CHECKING:
    from tests.real.conftest import Daemons
    from tests.real.figures import Figures
    from tests.real.lab import Lab

pytestmark = pytest.mark.real

MIB = 2**20
SIZE = (1024 if FULL else 256) * MIB
ROUNDS = 3
# Uploads a blob of this many bytes to each URL in turn, another content each time, and prints the seconds.
UPLOAD = """
import hashlib, http.client, json, sys, time, urllib.parse
size, rounds, *urls = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
took, piece = {url: [] for url in urls}, bytearray(2**20)
for number in range(rounds * len(urls)):
    url = urls[number % len(urls)]
    piece[:8] = time.monotonic_ns().to_bytes(8, "big")
    digest = hashlib.sha256()
    for _ in range(size // len(piece)):
        digest.update(piece)
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=300)
    began = time.monotonic()
    connection.putrequest("POST", "/api/blobs/sha256:" + digest.hexdigest())
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    for _ in range(size // len(piece)):
        connection.send(piece)
    answer = connection.getresponse()
    assert answer.status == 201, (answer.status, answer.read())
    took[url].append(time.monotonic() - began)
print(json.dumps(took))
"""


def peak(pid: int) -> float:
    """The most memory that a process has used so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_a_large_upload(lab: Lab, daemons: Daemons, figures: Figures) -> None:
    located = daemons(forward='{ listen = "127.0.0.1:11435" }')
    located.ready(lab.url("gpu"))
    before = peak(located.pid)
    direct, through = lab.url("gpu"), "http://127.0.0.1:11435"
    words = [sys.executable, "-I", "-c", UPLOAD, str(SIZE), str(ROUNDS), direct, through]
    took = json.loads(located.node.exec(*words, within=600).stdout)
    for plain, forwarded in zip(took[direct], took[through], strict=True):
        figures.ratio(f"{SIZE // MIB} MiB uploaded through the forward / directly", forwarded / plain, 1.3)
    figures.mebibytes("memory that this added to the daemon", peak(located.pid) - before, 5)
