"""Whether a proxy of the environment would catch what is meant for the tailnet."""

import pytest

from ollama_locate.core.proxies import Caught, catches, covered

HOST = "100.64.0.2"
PROXY = "http://user:secret@proxy.example:3128"


@pytest.mark.parametrize(
    ("environment", "caught"),
    [
        pytest.param({}, None, id="no proxy"),
        pytest.param(
            {"http_proxy": PROXY}, Caught("http_proxy", "http://proxy.example:3128"), id="its password is kept"
        ),
        pytest.param({"HTTP_PROXY": "proxy:80"}, Caught("HTTP_PROXY", "http://proxy:80"), id="without a scheme"),
        pytest.param({"ALL_PROXY": "socks5h://p"}, Caught("ALL_PROXY", "socks5h://p"), id="for everything"),
        pytest.param({"https_proxy": PROXY}, None, id="for https only"),
        pytest.param({"http_proxy": "", "all_proxy": ""}, None, id="empty is none"),
        pytest.param({"http_proxy": PROXY, "NO_PROXY": HOST}, None, id="NO_PROXY names it"),
        pytest.param(
            {"http_proxy": PROXY, "no_proxy": "a.b", "NO_PROXY": HOST},
            Caught("http_proxy", "http://proxy.example:3128"),
            id="the lower case counts",
        ),
        pytest.param({"http_proxy": "http://p:99999999"}, Caught("http_proxy", "not a URL"), id="no port"),
        pytest.param({"http_proxy": "http://a\x1bb"}, Caught("http_proxy", "http://a b"), id="escapes are gone"),
    ],
)
def test_catches(environment: dict[str, str], caught: Caught | None) -> None:
    assert catches(environment, HOST) == caught


@pytest.mark.parametrize(
    ("no_proxy", "host", "is_covered"),
    [
        pytest.param("", HOST, False, id="empty"),
        pytest.param("*", HOST, True, id="all"),
        pytest.param("localhost, 100.64.0.2", HOST, True, id="itself, after a blank"),
        pytest.param("100.64.0.0/10", HOST, True, id="its range"),
        pytest.param("10.0.0.0/8,fd7a:115c:a1e0::/48", HOST, False, id="other ranges"),
        pytest.param("fd7a:115c:a1e0::/48", "fd7a:115c:a1e0::2", True, id="IPv6"),
        pytest.param("100.64.0.20", HOST, False, id="a longer address"),
        pytest.param(".ts.net", "gpu.tail-lab.ts.net", True, id="a domain with a dot"),
        pytest.param("*.TS.net", "gpu.tail-lab.ts.net", True, id="a domain with a star, in capitals"),
        pytest.param("ts.net:11434", "gpu.tail-lab.ts.net", True, id="a domain with a port"),
        pytest.param("s.net", "gpu.ts.net", False, id="an end that is no domain"),
        pytest.param("., ,", "gpu.ts.net", False, id="nothing but marks"),
    ],
)
def test_covered(no_proxy: str, host: str, is_covered: bool) -> None:  # noqa: FBT001 - a table
    assert covered(no_proxy, host) is is_covered
