"""`ollama-locate refresh --failed URL`: what it says of the server; tests/located has it with a daemon."""

import datetime as dt
from typing import Any

import pytest
from msgspec.structs import replace

from ollama_locate.cli import refresh
from tests.cli.command import PEERS, PROBES
from tests.snapshots import GPU, NAS, snapshot

MADE = snapshot(PROBES, *PEERS)
FELL = {"health": "down", "standing": "down", "outcome": "refused", "text": "refuses now"}


@pytest.mark.parametrize(
    ("url", "fields", "was", "sentence"),
    [
        pytest.param(
            GPU, {}, "n2:11434", "gpu answers; a second report within a minute would rank it", id="it answers"
        ),
        pytest.param(
            GPU,
            {"standing": "reported", "reported_until": "in 5 min"},
            "n2:11434",
            "gpu answers, and was reported again: it ranks below the others for another 5 min",
            id="it answers, the second time",
        ),
        pytest.param(NAS, FELL, "n3:11434", "nas refuses now; it was left for gpu", id="it was the endpoint"),
        pytest.param(NAS, FELL, "n2:11434", "nas refuses now", id="it was not"),
        pytest.param(NAS, FELL, None, "nas refuses now", id="nobody knows what was before"),
        pytest.param(GPU, FELL, "n2:11434", "gpu refuses now", id="there is no other"),
        pytest.param("http://gone:1", {}, None, "no server has the URL http://gone:1 any more", id="it has gone"),
    ],
)
def test_what_became_of_the_server_that_failed(
    url: str, fields: dict[str, Any], was: str | None, sentence: str
) -> None:
    if "reported_until" in fields:
        fields = fields | {"reported_until": (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)).isoformat()}
    servers = tuple(replace(one, **fields) if one.url == url else one for one in MADE.servers)
    assert refresh._found(url, replace(MADE, servers=servers), was).startswith(sentence)
