"""Each feed read by the real program: HAProxy serves by it, Prometheus scrapes by it. Skipped where one is missing."""

import asyncio
import contextlib
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import trustme
from msgspec.structs import replace

from ollama_locate.core.feed import Format
from ollama_locate.core.feeds import make
from ollama_locate.core.snapshot import Snapshot
from tests.core.test_feed import PLAIN, WORLD, also, changed
from tests.snapshots import snapshot
from tests.standins.ollama import Behaviour, by_path, http, serving

SBIN = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
HAPROXY, PROMETHEUS, PROMTOOL = (
    shutil.which(name) or shutil.which(name, path=SBIN) for name in ("haproxy", "prometheus", "promtool")
)
needs_haproxy = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed (Debian: apt-get install haproxy)")
needs_prometheus = pytest.mark.skipif(
    PROMETHEUS is None or PROMTOOL is None, reason="prometheus is not installed (Debian: apt-get install prometheus)"
)
PATIENCE = 20.0
DOCS = Path(__file__).resolve().parents[2] / "docs/feeds.md"
BASE = """\
defaults
    mode tcp
    timeout client 5s
    timeout connect 5s
    timeout server 5s
frontend front
    mode http
    bind 127.0.0.1:{port}
    default_backend ollama
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def get(url: str) -> tuple[int, bytes]:
    """Status and body; 0 where nothing answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


async def until(ready: Callable[[], bool], what: Callable[[], str]) -> None:
    ends = time.monotonic() + PATIENCE
    while not await asyncio.to_thread(ready):
        assert time.monotonic() < ends, what()
        await asyncio.sleep(0.02)


@contextlib.contextmanager
def started(log: Path, *words: str) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=out)
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def of_the_docs(kind: str) -> list[str]:
    """What docs/feeds.md has for copying."""
    return re.findall(rf"^```{kind}\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)


# --- HAProxy


@needs_haproxy
def test_haproxy_takes_what_the_docs_show(tmp_path: Path) -> None:
    base, feed = tmp_path / "base.cfg", tmp_path / "feed.cfg"
    base.write_text("".join(of_the_docs("haproxy")))
    feed.write_bytes(make(Format.HAPROXY, PLAIN).data)
    words = [HAPROXY or "", "-c", "-f", str(base), "-f", str(feed)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "WARNING" in done.stderr) == (0, False), done.stderr


@needs_haproxy
@pytest.mark.parametrize(
    "what",
    [
        pytest.param(PLAIN, id="peers and this machine"),
        pytest.param(WORLD, id="static servers, https and names among them"),
        pytest.param(snapshot({}), id="nobody"),
        pytest.param(also(PLAIN, name="six", url="http://[fd7a:115c:a1e0::9]:11434"), id="IPv6"),
        pytest.param(changed(PLAIN, "gpu", name="a b # \x1b$(x) \u202e"), id="an odd name"),
        pytest.param(also(PLAIN, name="backup", url="http://100.64.0.9:11434"), id="a name that is a word of its own"),
    ],
)
def test_haproxy_takes_it(what: Snapshot, tmp_path: Path) -> None:
    base, feed = tmp_path / "base.cfg", tmp_path / "feed.cfg"
    base.write_text(BASE.format(port=18_436))
    feed.write_bytes(make(Format.HAPROXY, what).data)
    words = [HAPROXY or "", "-c", "-f", str(base), "-f", str(feed)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "[WARNING]" in line]
    assert [line for line in warnings if "could not resolve" not in line] == []  # there may be no DNS here


def on_loopback(models: tuple[str, ...]) -> Behaviour:
    """As an Ollama that is bound to loopback: of the Hosts that it is asked for it takes the one."""
    listed = json.dumps({"models": [{"name": name} for name in models]}).encode()
    answers = {b"/api/version": http("200 OK", b'{"version":"0.17.4"}'), b"/api/tags": http("200 OK", listed)}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while head := (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n"):
                hosts = [line for line in head if line.lower().startswith(b"host:")]
                known = [host.lower() for host in hosts] == [b"host: localhost"]
                writer.write(answers[head[0].split()[1]] if known else http("403 Forbidden", b""))
                await writer.drain()

    return serve


@contextlib.asynccontextmanager
async def haproxy(tmp_path: Path, what: Snapshot, authorities: str = "@system-ca") -> AsyncIterator[str]:
    """HAProxy with the feed of this, its frontend's URL. It can be told in its configuration only whom to believe."""
    port = free_port()
    (tmp_path / "base.cfg").write_text(BASE.format(port=port))
    feed = make(Format.HAPROXY, what).data.decode()
    (tmp_path / "feed.cfg").write_text(feed.replace("ca-file @system-ca", f"ca-file {authorities}"))
    words = (HAPROXY or "", "-db", "-f", str(tmp_path / "base.cfg"), "-f", str(tmp_path / "feed.cfg"))
    with started(tmp_path / "log", *words):
        yield f"http://127.0.0.1:{port}"


@needs_haproxy
def test_haproxy_serves_by_it_and_by_the_next_tier_when_the_first_is_dead(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with contextlib.AsyncExitStack() as second, contextlib.AsyncExitStack() as first:
            nas = await second.enter_async_context(serving(on_loopback(("nas:1b",))))
            gpu = await first.enter_async_context(serving(on_loopback(("gpu:1b",))))
            servers = f'[static]\ngpu = "http://127.0.0.1:{gpu}"\nnas = "http://127.0.0.1:{nas}"\n'
            async with haproxy(tmp_path, snapshot({}, config=f'prefer = ["gpu", "*"]\n{servers}')) as url:

                def answers(name: bytes) -> bool:
                    status, body = get(url + "/api/tags")
                    return status == 200 and name in body

                log = tmp_path / "log"
                await until(lambda: answers(b"gpu"), lambda: f"gpu does not answer: {log.read_text()}")
                assert await asyncio.to_thread(lambda: all(answers(b"gpu") for _ in range(10))), "nas stands by"
                await first.aclose()
                assert await asyncio.to_thread(answers, b"nas"), "the very next request is answered"
                await first.enter_async_context(serving(on_loopback(("gpu:1b",)), gpu))
                await until(lambda: answers(b"gpu"), lambda: f"gpu is not used again: {log.read_text()}")

    asyncio.run(scenario())


@needs_haproxy
@pytest.mark.parametrize(
    ("known", "name"),
    [
        pytest.param(True, "localhost", id="a known authority"),
        pytest.param(False, "localhost", id="a stranger's certificate"),
        pytest.param(True, "other.example", id="another site's certificate"),
    ],
)
def test_haproxy_verifies_a_certificate_and_asks_for_the_sites_own_name(
    tmp_path: Path, name: str, *, known: bool
) -> None:
    authority = trustme.CA()
    trusted = tmp_path / "ca.pem"
    (authority if known else trustme.CA()).cert_pem.write_to_path(str(trusted))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(tls)

    async def scenario() -> None:
        asked: list[bytes] = []

        async def site(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while head := await reader.readuntil(b"\r\n\r\n"):
                    asked.extend(line for line in head.split(b"\r\n") if line.lower().startswith(b"host:"))
                    writer.write(http("200 OK", b'{"version":"0.17.4"}'))
                    await writer.drain()
            writer.close()

        server = await asyncio.start_server(site, "localhost", 0, family=socket.AF_INET, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        what = snapshot({}, config=f'[static]\noffice = "https://localhost:{port}"\n')
        async with server, haproxy(tmp_path, what, str(trusted)) as url:
            good = known and name == "localhost"
            await until(lambda: get(url + "/api/version")[0] == (200 if good else 503), (tmp_path / "log").read_text)
            assert set(map(bytes.lower, asked)) == ({b"host: localhost:%d" % port} if good else set())

    asyncio.run(scenario())


# --- Prometheus


@needs_prometheus
def test_promtool_takes_what_the_docs_show(tmp_path: Path) -> None:
    (tmp_path / "ollama.json").write_bytes(make(Format.PROMETHEUS, WORLD).data)
    (shown,) = (one for one in of_the_docs("yaml") if one.startswith("scrape_configs:"))
    (tmp_path / "prometheus.yml").write_text(shown.replace("/etc/prometheus/", ""))
    for words in (["config"], ["service-discovery", "--timeout=2s"]):
        job = ["ollama"] if len(words) > 1 else []
        done = subprocess.run(
            [PROMTOOL or "", "check", *words, str(tmp_path / "prometheus.yml"), *job],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    found = [one["labels"] for one in json.loads(done.stdout[done.stdout.index("[") :])]
    probed = {one["__param_target"]: one for one in found}
    office = probed["https://ollama.example.com:443/api/version"]
    assert {"http://100.64.0.2:11434/api/version", "http://rack.lan:11434/api/version"} < set(probed)
    assert (office["__address__"], office["__scheme__"], office["server"]) == ("127.0.0.1:9115", "http", "office")
    assert not {"path", "standing"} & set(office)


@needs_prometheus
@pytest.mark.parametrize("what", [WORLD, snapshot({}), changed(PLAIN, "gpu", name='größe "\\')], ids=["a", "b", "c"])
def test_promtool_finds_nothing_to_say(what: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "ollama.json").write_bytes(make(Format.PROMETHEUS, what).data)
    (tmp_path / "prometheus.yml").write_text(
        'scrape_configs:\n  - job_name: ollama\n    file_sd_configs: [{files: ["ollama.json"]}]\n'
    )
    words = [PROMTOOL or "", "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "SUCCESS" in done.stdout, done.stderr) == (0, True, ""), done.stdout


@needs_prometheus
def test_prometheus_scrapes_its_targets_and_follows_the_file(tmp_path: Path) -> None:
    file = tmp_path / "ollama.json"
    port = free_port()
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs:\n  - job_name: ollama\n    scrape_interval: 1s\n    file_sd_configs:\n"
        f'      - files: ["{file}"]\n        refresh_interval: 1s\n'
    )
    words = (
        PROMETHEUS or "",
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )

    def up() -> dict[str, str]:
        """The value of `up` of each server that has one."""
        _, body = get(f"http://127.0.0.1:{port}/api/v1/query?query=up")
        found = json.loads(body)["data"]["result"] if body.startswith(b"{") else []
        return {one["metric"].get("server", "?") + one["metric"].get("tier", "?"): one["value"][1] for one in found}

    async def scenario() -> None:
        metrics = by_path(metrics=http("200 OK", b"an_ollama 1\n", "text/plain; version=0.0.4"))
        async with serving(metrics) as gpu, serving(metrics) as nas:
            one = snapshot({}, config=f'[static]\ngpu = "http://127.0.0.1:{gpu}"\n')
            two = snapshot({}, config=f'[static]\ngpu = "http://127.0.0.1:{gpu}"\nnas = "http://127.0.0.1:{nas}"\n')
            file.write_bytes(make(Format.PROMETHEUS, one).data)
            with started(tmp_path / "log", *words):
                await until(lambda: up() == {"gpu0": "1"}, lambda: f"{up()} {(tmp_path / 'log').read_text()}")
                (tmp_path / "new").write_bytes(make(Format.PROMETHEUS, replace(two, round=9)).data)
                (tmp_path / "new").rename(file)
                await until(lambda: up() == {"gpu0": "1", "nas0": "1"}, lambda: str(up()))

    asyncio.run(scenario())
