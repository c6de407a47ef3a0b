"""The metrics: what Prometheus reads, judged by promtool where it is installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from ollama_locate.core.bounds import METRICS_SERVERS_MAX
from ollama_locate.core.metrics import FIRST, Counters, text
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.snapshot import Snapshot
from tests.snapshots import GPU, alive, gone, snapshot
from tests.standins.tailscale import node

PEERS = (node("gpu", 2), node("nas", 3), node("pi", 4), node("bob", 5, UserID=2), node("phone", 6, OS="iOS"))
PROBES = {"n2:11434": alive(0.0125, "m:1", "m:2"), "n4:11434": gone(Outcome.REFUSED)}
NOW = 1_800_000_000.125
LINE = re.compile(r'([a-z_]+)(\{[a-z]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z]+="(?:[^"\\\n]|\\[\\"n])*")*\})? (\S+)')


def values(what: Snapshot, switches: int = 0) -> dict[str, float]:
    """Every sample by its name and labels; the file must consist of nothing else but these and comments."""
    found = {}
    for line in text(what, Counters(switches), NOW).decode().splitlines():
        if not line.startswith(("# HELP ", "# TYPE ")):
            match = LINE.fullmatch(line)
            assert match is not None, line
            assert match[1] + (match[2] or "") not in found, "twice"
            found[match[1] + (match[2] or "")] = float(match[3])
    return found


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        pytest.param(f'endpoint_info{{endpoint="{GPU}",server="gpu",reason="only"}}', 1, id="the endpoint"),
        pytest.param('decision_state{state="fresh"}', 1, id="it is fresh"),
        pytest.param('decision_state{state="stale"}', 0, id="and not stale"),
        pytest.param('decision_state{state="none"}', 0, id="and not none"),
        pytest.param("tailnet_up", 1, id="the tailnet"),
        pytest.param("servers", 4, id="gpu, nas, pi, this machine"),
        pytest.param('server_up{server="gpu",key="n2:11434"}', 1, id="up"),
        pytest.param('server_up{server="pi",key="n4:11434"}', 0, id="down"),
        pytest.param('server_round_trip_seconds{server="gpu",key="n2:11434"}', 0.0125, id="seconds"),
        pytest.param('server_models{server="gpu",key="n2:11434"}', 2, id="models"),
        pytest.param('rejected_peers{reason="other_user"}', 1, id="another user's"),
        pytest.param('rejected_peers{reason="phone_or_tv"}', 1, id="a phone"),
        pytest.param("problems", 0, id="nothing is wrong"),
        pytest.param("rounds_total", 7, id="rounds"),
        pytest.param("switches_total", 3, id="switches"),
        pytest.param("heartbeat_timestamp_seconds", NOW, id="to the millisecond"),
        pytest.param('server_up{server="nas",key="n3:11434"}', None, id="not asked yet: neither up nor down"),
        pytest.param(
            'server_round_trip_seconds{server="pi",key="n4:11434"}', None, id="no round trip where it is down"
        ),
    ],
)
def test_a_sample(sample: str, value: float | None) -> None:
    assert values(snapshot(PROBES, *PEERS), 3).get(f"ollama_locate_{sample}") == value


def test_text_from_the_network_is_cleaned_and_escaped() -> None:
    what = snapshot(PROBES, *PEERS)
    servers = tuple(replace(one, name='a"} 1\n# evil\\\x1b[2J') for one in what.servers)
    found = values(replace(what, servers=servers, decision=replace(what.decision, name='"\\')))
    assert 'ollama_locate_server_up{server="a\\"} 1 # evil\\\\ [2J",key="n2:11434"}' in found
    assert f'ollama_locate_endpoint_info{{endpoint="{GPU}",server="\\"\\\\",reason="only"}}' in found


def test_a_large_tailnet_is_counted_and_its_first_servers_shown() -> None:
    what = snapshot(PROBES, *PEERS)
    first = what.servers[0]
    many = tuple(replace(first, key=f"n{number}:1") for number in range(METRICS_SERVERS_MAX + 50))
    found = values(replace(what, servers=many))
    assert found["ollama_locate_servers"] == METRICS_SERVERS_MAX + 50
    assert sum(name.startswith("ollama_locate_server_up") for name in found) == METRICS_SERVERS_MAX


def test_a_metric_without_samples_and_a_time_that_is_none_are_left_out() -> None:
    what = snapshot({})
    written = text(replace(what, decision=replace(what.decision, since="soon")), Counters(), NOW).decode()
    assert "ollama_locate_rejected_peers" not in written
    assert "since_timestamp" not in written
    assert written.startswith(FIRST)


DOCS = Path(__file__).resolve().parents[2] / "docs/metrics.md"


def test_the_docs_list_every_metric_and_no_other() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", DOCS.read_text(), re.MULTILINE)
    written = re.findall(r"^# TYPE (\w+)", text(snapshot(PROBES, *PEERS), Counters(), NOW).decode(), re.MULTILINE)
    assert documented == written


PROMTOOL = shutil.which("promtool")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: apt-get install prometheus)")
@pytest.mark.parametrize(
    "what",
    [
        pytest.param(snapshot(PROBES, *PEERS), id="a tailnet"),
        pytest.param(snapshot({}), id="nobody"),
        pytest.param(
            replace(snapshot(PROBES, *PEERS), tailnet=replace(snapshot({}).tailnet, self='"\\\n')), id="odd names"
        ),
    ],
)
def test_promtool_finds_nothing_to_say(what: Snapshot) -> None:
    done = subprocess.run(
        [PROMTOOL or "", "check", "metrics"], input=text(what, Counters(1), NOW), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: apt-get install prometheus)")
def test_promtool_takes_the_alerts_of_the_docs(tmp_path: Path) -> None:
    rules = re.findall(r"^```yaml\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "rules.yml").write_text("".join(rules))
    done = subprocess.run(
        [PROMTOOL or "", "check", "rules", "--lint-fatal", str(tmp_path / "rules.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "3 rules found" in done.stdout) == (0, True), done.stdout + done.stderr
