"""The programs we are measured against: whether they are here, and how each is run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.peers import PORT

PACKAGES = ("nmap", "haproxy", "curl")
NMAP = "-n -Pn -sS -T4 --max-retries 1 --min-hostgroup 1024 --min-rate 1000 --open -oG -"
CURL = "-s --noproxy * --parallel --parallel-immediate --parallel-max 300 --connect-timeout 2 --max-time 2"


@cache
def install() -> None:
    """On Debian, and as root, what is missing is installed; elsewhere its row names it as missing."""
    absent = [name for name in PACKAGES if not find(name)]
    if not absent or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *absent]):
        subprocess.run(["apt-get", *words], check=False, capture_output=True, env=env, timeout=180)


def find(name: str) -> str | None:
    """haproxy is in a folder that is not on every user's path."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def version(words: list[str]) -> str:
    """The first line of what a program says about itself."""
    if not find(words[0]):
        return "not here"
    said = subprocess.run([find(words[0]) or words[0], *words[1:]], check=False, capture_output=True, text=True)
    return (said.stdout or said.stderr).strip().splitlines()[0]


def nmap(addresses: Path) -> list[str]:
    """As fast as nmap goes without giving up its second try: an open port is all that it establishes."""
    return [find("nmap") or "nmap", f"-p{PORT}", *NMAP.split(), "-iL", str(addresses)]


def nmap_found(output: str) -> set[str]:
    return {line.split()[1] for line in output.splitlines() if f"{PORT}/open" in line}


def curl(addresses: Path) -> list[str]:
    """300 at once is the most that curl 7.88 does; it asks /api/version of each, and waits 2 s for silence."""
    urls = addresses.with_suffix(".curl")
    urls.write_text(
        "".join(f'url = "http://{each}:{PORT}/api/version"\noutput = "/dev/null"\n' for each in lines(addresses))
    )
    return [find("curl") or "curl", *CURL.split(), "-K", str(urls), "-w", r"%{stderr}%{http_code} %{url}\n"]


def curl_found(output: str) -> set[str]:
    """Among the progress that curl shows of parallel transfers, silent or not."""
    return set(re.findall(rf"200 http://([\d.]+):{PORT}/", output))


def llama_scanner() -> list[str] | None:
    """LlamaScanner's own discovery and inventory, if LLAMASCANNER names its file."""
    file = os.environ.get("LLAMASCANNER")
    if not file or not Path(file).is_file():
        return None
    code = """if True:
        import contextlib, io, sys
        sys.path.insert(0, sys.argv[1])
        import LlamaScanner
        with contextlib.redirect_stdout(io.StringIO()):
            found = LlamaScanner.mapNetwork(LlamaScanner.findActiveHosts())
        print(*found)
    """
    return [os.environ.get("LLAMASCANNER_PYTHON", sys.executable), "-c", code, str(Path(file).parent)]


def llama_targets(targets: Path) -> list[str] | None:
    """The same as its users run it, for a file of who has which model; no generation is measured."""
    file = os.environ.get("LLAMASCANNER")
    if not file or not Path(file).is_file():
        return None
    return [os.environ.get("LLAMASCANNER_PYTHON", sys.executable), file, "--proxy", str(targets)]


def llama_found(output: str) -> set[str]:
    return set(output.split())


def lines(file: Path) -> list[str]:
    return file.read_text().split()


PLAIN = """
 timeout connect 5s
 default-server inter 2s fall 3
"""
# As quick as its own options make it: every retry may go elsewhere, a suspect is checked more often.
TUNED = """
 timeout connect 1s
 timeout check 1s
 option redispatch 1
 default-server inter 2s fall 3 fastinter 500ms
"""


def haproxy_router(servers: list[str], port: int, stats_port: int, options: str) -> str:
    """The first server serves, the others stand by; with a table of what it thinks of them."""
    checked = "\n".join(
        f" server s{number} {address}:{PORT} check {'backup' if number else ''}"
        for number, address in enumerate(servers)
    )
    return f"""global
 maxconn 2000
defaults
 mode http
 timeout client 60s
 timeout server 60s
frontend front
 bind 127.0.0.1:{port}
 default_backend ollama
backend ollama
 option httpchk GET /api/version{options}{checked}
listen stats
 timeout connect 5s
 bind 127.0.0.1:{stats_port}
 stats enable
 stats uri /
"""


def haproxy_config(servers: list[str]) -> str:
    """Two servers, each asked every 2 s: the cost of a check in a program known for its thrift."""
    checked = "\n".join(f" server s{number} {address}:{PORT} check" for number, address in enumerate(servers))
    return f"""global
 maxconn 100
defaults
 mode http
 timeout connect 5s
 timeout client 60s
 timeout server 60s
frontend front
 bind 127.0.0.1:11435
 default_backend ollama
backend ollama
 option httpchk GET /api/version
 default-server inter 2s fall 3
{checked}
"""
