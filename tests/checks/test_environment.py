"""The environment: what is set by hand, what leaves with a key, what a proxy would catch."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ollama_locate.checks import environment
from ollama_locate.checks.environment import Facts, Place, judge
from tests.checks.machine import Machine
from tests.snapshots import GPU, alive, publish, snapshot
from tests.standins.ollama import like_ollama
from tests.standins.tailscale import node

BY_HAND = "http://10.0.0.9:11434"
FOUND = {"OLLAMA_ENDPOINT": GPU}
PROXY = "http://proxy:3128"


def facts(env: Mapping[str, str], **more: object) -> Facts:
    return Facts(env, FOUND, GPU, fresh=True)._replace(**more)  # type: ignore[arg-type]  # a table's columns


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        pytest.param(facts({}), [], id="nothing is set"),
        pytest.param(facts({"OLLAMA_ENDPOINT": GPU}), [], id="by hand, to what was found"),
        pytest.param(
            facts({"OLLAMA_ENDPOINT": BY_HAND, "OLLAMA_LOCATE_APPLIED": f"OLLAMA_ENDPOINT={BY_HAND}"}),
            [],
            id="ours, and old",
        ),
        pytest.param(facts({"OLLAMA_ENDPOINT": BY_HAND}), ["endpoint_by_hand"], id="by hand"),
        pytest.param(facts({"OLLAMA_ENDPOINT": BY_HAND}, fresh=False), [], id="by hand, and it hides nothing"),
        pytest.param(
            facts({}, places=(Place("OLLAMA_ENDPOINT", "/h/.bashrc", 7),)),
            ["endpoint_in_startup"],
            id="in new shells only",
        ),
        pytest.param(facts({}, places=(Place("OLLAMA_HOST", "/h/.bashrc", 7),)), [], id="a name that we do not write"),
        pytest.param(
            facts({"OLLAMA_HOST": BY_HAND}, serves=True, elsewhere=True), ["ollama_host_here"], id="OLLAMA_HOST"
        ),
        pytest.param(facts({"OLLAMA_HOST": BY_HAND}, elsewhere=True), [], id="OLLAMA_HOST where no Ollama runs"),
        pytest.param(facts({"OLLAMA_HOST": "0.0.0.0"}, serves=True), [], id="OLLAMA_HOST as the server wants it"),
        pytest.param(
            facts({"OPENAI_API_KEY": "k"}, templates={"OPENAI_BASE_URL": "{url}/v1"}),
            ["openai_key_leaves"],
            id="a key leaves",
        ),
        pytest.param(facts({}, templates={"OPENAI_BASE_URL": "{url}/v1"}), [], id="no key"),
        pytest.param(facts({"OPENAI_API_KEY": "k"}), [], id="a key, and nothing that takes it"),
        pytest.param(facts({"http_proxy": PROXY}), ["proxy_catches"], id="a proxy"),
        pytest.param(facts({"http_proxy": PROXY, "no_proxy": "100.64.0.0/10"}), [], id="a proxy, not for the tailnet"),
        pytest.param(facts({"http_proxy": PROXY}, endpoint="http://localhost:11434"), [], id="this machine's own"),
        pytest.param(facts({"http_proxy": PROXY}, endpoint="http://127.0.0.1:11434"), [], id="loopback"),
        pytest.param(facts({"http_proxy": PROXY}, fresh=False), [], id="nobody is found"),
    ],
)
def test_judge(given: Facts, codes: list[str]) -> None:
    assert [one.code for one in judge(given)] == codes


def test_the_file_and_the_line_are_named(here: Machine, home: Path, tmp_path: Path) -> None:
    publish(tmp_path / "state", snapshot({"n2:11434": alive()}, node("gpu", 2))).close()
    (home / ".bashrc").write_text(f"alias a=b\nexport OLLAMA_ENDPOINT={BY_HAND}\n")
    here.environment["SHELL"] = "/bin/bash"
    finding = here.the(environment.run, "endpoint_in_startup")
    assert f"{home}/.bashrc, line 2" in finding.text
    assert finding.mend == f"${{EDITOR:-vi}} +2 {home}/.bashrc"
    here.environment["OLLAMA_ENDPOINT"] = BY_HAND
    finding = here.the(environment.run, "endpoint_by_hand")
    assert f"to {BY_HAND} ({home}/.bashrc, line 2), and hides the found {GPU}" in finding.text
    assert here.codes(environment.run) == ["endpoint_by_hand"]


def test_a_server_that_would_listen_elsewhere(here: Machine) -> None:
    """A real Ollama answers on this machine's loopback, and OLLAMA_HOST is another machine's address."""
    here.far("127.0.0.1", like_ollama("mistral"))
    here.environment["OLLAMA_HOST"] = "http://198.51.100.7:11434"
    assert here.codes(environment.run) == ["ollama_host_here"]


def test_a_variable_of_the_config_is_taken_out_there() -> None:
    given = facts({"OLLAMA_HOST": GPU}, serves=True, elsewhere=True, templates={"OLLAMA_HOST": "{url}"}, config="/c")
    assert judge(given)[0].mend == "${EDITOR:-vi} /c  # [variables]: take OLLAMA_HOST out"


@pytest.mark.parametrize(
    ("value", "elsewhere"),
    [
        pytest.param("", False, id="empty"),
        pytest.param("0.0.0.0", False, id="all"),
        pytest.param("127.0.0.1:11434", False, id="loopback"),
        pytest.param("http://[::1]:11434", False, id="loopback, IPv6"),
        pytest.param("198.51.100.7", True, id="a bare address of another"),
        pytest.param("https://198.51.100.7", True, id="a URL of another"),
        pytest.param("http://[2001:db8::7]", True, id="IPv6 of another"),
        pytest.param("gpu.lan:11434", False, id="a name: not known"),
        pytest.param(":8080", False, id="a port alone"),
        pytest.param("http://1.2.3.4:999999", False, id="no port"),
    ],
)
def test_whose_address_it_is(value: str, elsewhere: bool) -> None:  # noqa: FBT001 - a table
    assert environment._is_elsewhere(value) is elsewhere
