"""A `tailscale` that knows `status` and `serve`, and really forwards: from 127.0.0.2, this machine's tailnet address.

`python -m tests.standins.serve FOLDER WORD ...`; FOLDER/status.json is what `status --json` prints, FOLDER/refuses what
`serve` says instead of doing it.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

ADDRESS = "127.0.0.2"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str) -> None:
    host, _, port = target.rpartition(":")
    try:
        behind = await asyncio.open_connection(host, int(port))
    except OSError:
        writer.close()
        return
    await asyncio.gather(_pump(reader, behind[1]), _pump(behind[0], writer))


async def _forward(port: int, target: str) -> None:
    server = await asyncio.start_server(lambda r, w: _client(r, w, target), ADDRESS, port)
    print("listens", flush=True)
    async with server:
        await server.serve_forever()


def _serve(folder: Path, words: list[str]) -> int:
    refusal, config, pid = folder / "refuses", folder / "serve.json", folder / "forwarder"
    if words == ["status", "--json"]:
        print(config.read_text() if config.exists() else "{}")
        return 0
    if refusal.exists():
        sys.stderr.write(refusal.read_text())
        return 1
    if words[-1] == "off":
        os.kill(int(pid.read_text()), signal.SIGTERM)
        pid.unlink()
        config.unlink()
        return 0
    port, target = words[2], words[3].removeprefix("tcp://")
    forwarder = subprocess.Popen(
        [sys.executable, "-m", "tests.standins.serve", "forward", port, target],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert forwarder.stdout
    forwarder.stdout.readline()
    pid.write_text(str(forwarder.pid))
    config.write_text(json.dumps({"TCP": {port: {"TCPForward": target}}}))
    return 0


def main(folder: str, *words: str) -> int:
    if folder == "forward":
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_forward(int(words[0]), words[1]))
        return 0
    if words[0] == "serve":
        return _serve(Path(folder), list(words[1:]))
    sys.stdout.write((Path(folder) / "status.json").read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
