"""Findings: every code is well formed, and a cause that is shown hides what it explains."""

import re
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.finding import RULES, Finding, exit_code, found, shown
from ollama_locate.core.rule import Severity

DOCS = Path(__file__).parents[2] / "docs/doctor.md"
FIELDS = {
    name
    for rule in RULES.values()
    for template in (rule.text, rule.why, rule.mend)
    for _, name, _, _ in string.Formatter().parse(template)
    if name
}
FACTS: dict[str, Any] = dict.fromkeys(FIELDS, "x") | {"names": "gpu"}


def make(code: str, severity: Severity | None = None) -> Finding:
    return found(code, severity, **FACTS)


@pytest.mark.parametrize("code", RULES)
def test_a_code_is_well_formed(code: str) -> None:
    """A stable word, one sentence, a reason, causes that exist, and a mend of one line."""
    rule, finding = RULES[code], make(code)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", code)
    assert finding.text.endswith(".")
    assert finding.why
    assert "\n" not in finding.text + finding.why + finding.mend
    assert not re.search(r"[{}]", finding.text + finding.why)
    assert set(rule.causes) <= set(RULES) - {code}


def test_every_code_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `([a-z_]+)` \|", DOCS.read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(RULES)


@pytest.mark.parametrize("code", RULES)
def test_the_severity_that_the_docs_name_is_the_code_s_own(code: str) -> None:
    (row,) = re.findall(rf"^\| `{code}` \| (\w+)", DOCS.read_text(), re.MULTILINE)
    assert row == RULES[code].severity.value


@pytest.mark.parametrize(
    ("codes", "seen"),
    [
        pytest.param(
            ["no_server", "tailscale_stopped"], ["tailscale_stopped"], id="no server, as tailscale is stopped"
        ),
        pytest.param(["no_server", "peer_refused"], ["peer_refused"], id="no server, as the only one refuses"),
        pytest.param(["no_server"], ["no_server"], id="no server, and nothing explains it"),
        pytest.param(
            ["tailscale_needs_login", "tailscale_key_expired", "socket_no_permission", "no_server"],
            ["tailscale_key_expired"],
            id="a cause that is hidden itself hides all the same",
        ),
        pytest.param(
            ["config_broken", "daemon_not_running", "daemon_failed"], ["config_broken"], id="no daemon, by the config"
        ),
        pytest.param(["folder_full", "daemon_stale"], ["folder_full"], id="not heard, as the disk is full"),
        pytest.param(
            ["peer_offline", "daemon_not_running"],
            ["daemon_not_running", "peer_offline"],
            id="neither explains the other",
        ),
        pytest.param([], [], id="nothing"),
    ],
)
def test_what_is_shown(codes: list[str], seen: list[str]) -> None:
    left, hidden = shown(map(make, codes))
    assert [one.code for one in left] == seen
    assert sorted(one.code for one in [*left, *hidden]) == sorted(codes)


def test_problems_come_first_and_then_the_order_of_the_table() -> None:
    findings = [make("peer_relayed"), make("clock_off"), make("folder_open"), make("tailscale_stopped")]
    assert [one.code for one in shown(findings)[0]] == ["tailscale_stopped", "folder_open", "clock_off", "peer_relayed"]


@given(st.lists(st.sampled_from(sorted(RULES))))
def test_something_is_always_shown_and_nothing_is_lost(codes: list[str]) -> None:
    left, hidden = shown(map(make, codes))
    assert bool(left) == bool(codes)
    assert sorted(one.code for one in [*left, *hidden]) == sorted(codes)
    assert [one.severity.rank for one in left] == sorted(one.severity.rank for one in left)


@given(st.lists(st.sampled_from(sorted(RULES)), max_size=6))
def test_hiding_needs_one_of_its_causes(codes: list[str]) -> None:
    for one in shown(map(make, codes))[1]:
        assert set(RULES[one.code].causes) & set(codes)


@pytest.mark.parametrize(
    ("severities", "code"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([Severity.NOTE, Severity.WARNING], 0, id="no problem"),
        pytest.param([Severity.NOTE, Severity.PROBLEM], 1, id="a problem"),
    ],
)
def test_the_exit_code(severities: list[Severity], code: int) -> None:
    assert exit_code(make("peer_refused", one) for one in severities) == code
