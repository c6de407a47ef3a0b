"""The config file: what is read, and what a mistake is answered with."""

import pytest

from ollama_locate.core.command import Command
from ollama_locate.core.config import KEYS, Config, parse_config
from ollama_locate.core.config_values import expand
from ollama_locate.core.errors import ConfigError
from ollama_locate.core.feed import Feed, Format
from ollama_locate.core.forward import Forward
from ollama_locate.core.pin import Pin
from ollama_locate.core.selection import Local, Rank
from ollama_locate.core.speed import Speed
from ollama_locate.core.trust import StaticServer

WHOLE = b"""\
ports = [11434, 8080, 11434]
interval = "2m"
timeout = "500ms"
prefer = ["gpu", "tag:ollama", "*", "local"]
local = "last"
allow = ["user:bob@example.com"]
deny = ["100.64.0.9"]
trusted_networks = ["192.168.7.0/24", "fd00:7::/32"]
tailscale = "~/bin/tailscale"
tailscale_socket = "/run/two/tailscaled.sock"
machines = 10000
sentinel = false
history = false
log_level = "debug"
rank = "speed"

[static]
den = "http://192.168.7.7:11434/"
far = "https://ollama.example"
six = "http://[fd00::7]:8080"

[variables]
OLLAMA_API_BASE = "{url}"
OLLAMA_HOST = "{host}:{port}"
OPENAI_BASE_URL = "{url}/v1"

[forward]
listen = "0.0.0.0:11435"
desktop = true

[metrics]
textfile = "/var/lib/node_exporter/ollama_locate.prom"

[mdns]
browse = true
services = ["_Ollama._tcp.local", "_llm._tcp.local."]
interfaces = ["eth0", "192.168.7.1"]
allow = ["GPU-box", "192.168.7.0/24"]
advertise = true

[models]
no_pull = ["nas", "tag:small", "local"]

[[on_change]]
run = ["notify-send", "another; server"]

[[on_change]]
run = ["~/bin/tell"]
timeout = "1m"

[[feed]]
format = "haproxy"
file = "/etc/haproxy/ollama.cfg"
run = ["systemctl", "reload", "haproxy"]

[[feed]]
format = "prometheus"
file = "~/ollama.json"
"""


FEED = '[[feed]]\nformat = "haproxy"\nfile = "{}"\n'


def read(text: str) -> Config:
    return parse_config(text.encode(), "c.toml")


def test_a_whole_config_is_read() -> None:
    found = parse_config(WHOLE, "c.toml")
    assert (found.ports, found.interval, found.timeout) == ((11434, 8080), 120.0, 0.5)
    assert [entry.text for entry in found.prefer] == ["gpu", "tag:ollama", "*", "local"]
    assert (found.local, found.log_level, found.tailscale) == (Local.LAST, "debug", "~/bin/tailscale")
    assert (found.tailscale_socket, found.sentinel, found.history) == ("/run/two/tailscaled.sock", False, False)
    assert (found.settings().sentinel, found.settings().timeout, found.settings().machines) == (False, 0.5, 10_000)
    assert [entry.text for entry in (*found.allow, *found.deny)] == ["user:bob@example.com", "100.64.0.9"]
    assert [str(network) for network in found.trusted_networks] == ["192.168.7.0/24", "fd00:7::/32"]
    assert found.static == (
        StaticServer("den", "192.168.7.7", 11434),
        StaticServer("far", "ollama.example", 443, tls=True),
        StaticServer("six", "fd00::7", 8080),
    )
    assert list(found.variables) == ["OLLAMA_ENDPOINT", "OLLAMA_API_BASE", "OLLAMA_HOST", "OPENAI_BASE_URL"]
    assert found.forward == Forward("0.0.0.0", 11435, desktop=True)
    mdns = found.mdns
    assert (mdns.browse, mdns.advertise, mdns.interfaces) == (True, True, ("eth0", "192.168.7.1"))
    assert mdns.services == ("_ollama._tcp.local.", "_llm._tcp.local.")
    assert [entry.text for entry in mdns.allow] == ["gpu-box", "192.168.7.0/24"]
    assert found.settings().policy.mdns is mdns
    assert found.metrics == "/var/lib/node_exporter/ollama_locate.prom"
    assert [entry.text for entry in found.models.no_pull] == ["nas", "tag:small", "local"]
    assert found.on_change == (Command(("notify-send", "another; server"), 10.0), Command(("~/bin/tell",), 60.0))
    assert found.feed == (
        Feed(Format.HAPROXY, "/etc/haproxy/ollama.cfg", Command(("systemctl", "reload", "haproxy"), 10.0)),
        Feed(Format.PROMETHEUS, "~/ollama.json"),
    )
    assert (found.rank, found.raw["interval"]) == (Rank.SPEED, "2m")


def test_each_value_says_where_it_came_from() -> None:
    found = parse_config(WHOLE, "c.toml")
    assert set(found.sources) == set(KEYS) - {"tailnet"}
    assert (found.sources["ports"], found.sources["static"]) == ("c.toml:1", "c.toml:17")


TWO = """\
[[tailnet]]
name = "home"

[[tailnet]]
name = "work"
socket = "/run/work/tailscaled.sock"
socks5 = "127.0.0.1:1055"
allow = ["tag:ollama"]

[forward]
listen = "127.0.0.1:11435"
"""


def test_several_tailnets() -> None:
    found = read(TWO)
    home, work = found.nets
    assert (home.name, home.words, found.bell(home), home.allow) == ("home", (), "", None)
    assert (work.name, work.words) == ("work", ("--socket=/run/work/tailscaled.sock",))
    assert (found.bell(work), work.socks5) == ("/run/work/tailscaled.sock", ("127.0.0.1", 1055))
    assert [pattern.text for pattern in work.allow or ()] == ["tag:ollama"]
    assert found.settings().policy.nets == (home, work)
    assert found.warnings == ()


def test_one_tailnet_needs_no_name() -> None:
    (net,) = read('[[tailnet]]\nsocks5 = "[::1]:1055"').nets
    assert (net.name, net.socks5) == ("", ("::1", 1055))


def test_without_any_there_is_the_one_that_the_command_speaks_of() -> None:
    found = read('tailscale_socket = "/run/x.sock"')
    (net,) = found.nets
    assert (net.name, net.words, found.bell(net)) == ("", (), "/run/x.sock")


def test_a_proxy_without_the_stable_address_is_worth_a_warning() -> None:
    (warning,) = read('[[tailnet]]\nsocks5 = "127.0.0.1:1055"').warnings
    assert warning.startswith("tailnet.socks5: programs reach what is behind the proxy by [forward] only")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tailnet = []", "c.toml:1: tailnet: must be tables: [[tailnet]] and then"),
        ('tailnet = "work"', "c.toml:1: tailnet: must be tables"),
        ("[[tailnet]]\nname = 7", "c.toml:2: tailnet.1.name: a name has letters, digits"),
        ('[[tailnet]]\nname = "a/b"', "c.toml:2: tailnet.1.name: a name has letters"),
        ('[[tailnet]]\nname = "local"', "c.toml:2: tailnet.1.name: a name has letters"),
        ('[[tailnet]]\nsock = "/x"', "c.toml:2: tailnet.1.sock: unknown key; there are name, socket, socks5, allow"),
        ('[[tailnet]]\nsocket = "x"', "c.toml:2: tailnet.1.socket: must be an absolute path"),
        ('[[tailnet]]\nallow = ["*"]', "c.toml:2: tailnet.1.allow: `*` would let in everybody's"),
        ('[[tailnet]]\nname = "a"\n[[tailnet]]\nsocket = "/x"', "c.toml:3: tailnet.2: of several tailnets each"),
        (
            '[[tailnet]]\nname = "a"\n[[tailnet]]\nname = "A"\nsocket = "/x"',
            "c.toml:4: tailnet.2.name: another tailnet has the same name; give it",
        ),
        (
            '[[tailnet]]\nname = "a"\n[[tailnet]]\nname = "b"',
            "c.toml:3: tailnet.2: another tailnet has the same socket; each tailscaled has its own",
        ),
        (
            (
                '[[tailnet]]\nname = "a"\nsocks5 = "127.0.0.1:1"\n[[tailnet]]\nname = "b"\nsocket = "/b"\n'
                'socks5 = "127.0.0.1:1"'
            ),
            "c.toml:7: tailnet.2.socks5: another tailnet has the same socks5; each proxy leads into one",
        ),
        ("[[tailnet]]\nsocks5 = 1055", "c.toml:2: tailnet.1.socks5: must be an IP address and a port"),
        ('[[tailnet]]\nsocks5 = "localhost:1055"', 'a port, such as "127.0.0.1:1055"'),
        (
            '[[tailnet]]\nsocks5 = "192.168.1.2:1055"',
            "c.toml:2: tailnet.1.socks5: 192.168.1.2 is not this machine: the proxy must be at 127.0.0.1 or ::1",
        ),
        (
            '[[tailnet]]\nsocks5 = "127.0.0.1:1055"\n[forward]\nlisten = "127.0.0.1:1055"',
            "c.toml:4: forward.listen: this is the address of the SOCKS5 proxy",
        ),
        (
            'tailscale_socket = "/x"\n[[tailnet]]\nname = "a"',
            "c.toml:1: tailscale_socket: say it as `socket` under [[tailnet]]",
        ),
        ("[[tailnet]]\n" * 9, "c.toml:1: tailnet: at most 8 tailnets"),
    ],
)
def test_a_mistake_in_a_tailnet_is_told_with_its_line_and_its_mend(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert says in str(caught.value)


def test_three_settings_are_worth_a_warning() -> None:
    warnings = parse_config(WHOLE, "c.toml").warnings
    assert [warning.split()[0] for warning in warnings] == ["forward.listen:", "OPENAI_BASE_URL", "OLLAMA_HOST"]


def test_an_empty_config_is_the_default() -> None:
    found = read("")
    assert found == Config()
    assert found.variables == {"OLLAMA_ENDPOINT": "{url}"}


@pytest.mark.parametrize(
    ("local", "use", "check"),
    [
        pytest.param("auto", True, True, id="auto finds out whether this machine serves its tailnet"),
        pytest.param("first", True, False, id="first need not"),
        pytest.param("last", True, False, id="nor need last"),
        pytest.param("off", False, False, id="off leaves this machine out"),
    ],
)
def test_local_says_how_this_machine_is_used(local: str, *, use: bool, check: bool) -> None:
    settings = read(f'local = "{local}"\ninterval = "10s"').settings()
    assert (settings.policy.use_local, settings.policy.check_self) == (use, check)
    assert (settings.local, settings.interval) == (Local(local), 10.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("ports = [", "c.toml: not valid TOML: Invalid value (at", id="no TOML"),
        pytest.param("[" * 9999, "c.toml: not valid TOML", id="nested too deep"),
        pytest.param('\ninterva = "3s"', "c.toml:2: unknown key `interva`; did you mean `interval`?", id="a typo"),
        pytest.param("zzz = 1", "c.toml:1: unknown key `zzz`; the keys are ports, interval,", id="an invention"),
        pytest.param("a.b = 1", "c.toml: unknown key `a`;", id="an invention whose line is not found"),
        pytest.param("metrics = 1", "c.toml:1: metrics: must be a table: [metrics]", id="metrics that are no table"),
        pytest.param("[metrics]", "c.toml:1: metrics: needs a path", id="metrics without a path"),
        pytest.param("[metrics]\nport = 1", "c.toml:2: metrics.port: unknown key; there is textfile", id="a port"),
        pytest.param('[metrics]\ntextfile = "a.prom"', "metrics.textfile: must be an absolute path", id="no path"),
        pytest.param('[metrics]\ntextfile = "/a/b"', "must end in a name such as ollama_locate.prom", id="no .prom"),
        pytest.param('[metrics]\ntextfile = "/a/.prom"', "must end in a name such as", id="nothing but .prom"),
        pytest.param('on_change = "ls"', "c.toml:1: on_change: must be tables: [[on_change]] and", id="a bare command"),
        pytest.param("[on_change]\nrun = []", "c.toml:1: on_change: must be tables", id="one table in single brackets"),
        pytest.param("on_change = [1]", "on_change: must be tables", id="a list of numbers"),
        pytest.param(
            '[[on_change]]\nrun = "a b"', "c.toml:2: on_change.1.run: must be a list of words, as", id="a text"
        ),
        pytest.param("[[on_change]]", "c.toml:1: on_change.1.run: must be a list of words: run", id="nothing to run"),
        pytest.param("[[on_change]]\nrun = [1]", "on_change.1.run: must be a list of words: run", id="a number to run"),
        pytest.param('[[on_change]]\nrun = ["a\\u0000"]', "on_change.1.run: a word holds a NUL", id="a NUL"),
        pytest.param('[[on_change]]\nrun = [""]', "or the first is empty", id="an empty command"),
        pytest.param(
            '[[on_change]]\nrun = ["./a"]', "an absolute path or a bare name, not './a'", id="a relative path"
        ),
        pytest.param(
            '[[on_change]]\nrun = ["a"]\n\n[[on_change]]\nrun = ["b"]\nshell = true',
            "c.toml:6: on_change.2.shell: unknown key; there are run and timeout",
            id="the second one has a mistake",
        ),
        pytest.param(
            '[[on_change]]\nrun = ["a"]\ntimeout = "1d"',
            "c.toml:3: on_change.1.timeout: 1d is out of range: 100ms to 10m",
            id="a timeout of a day",
        ),
        pytest.param(
            '[[on_change]]\nrun = ["a"]\n' * 17,
            "on_change: at most 16 commands; let one of them",
            id="too many commands",
        ),
        pytest.param("feed = 1", "c.toml:1: feed: must be tables: [[feed]] and then", id="no table of a feed"),
        pytest.param(
            '[[feed]]\nfile = "/a"',
            "feed.1.format: must be one of haproxy, litellm, prometheus, not None",
            id="no format",
        ),
        pytest.param('[[feed]]\nformat = "litelm"', "c.toml:2: feed.1.format: must be one of", id="no such format"),
        pytest.param('[[feed]]\nformat = "haproxy"', "feed.1.file: must be an absolute path, not None", id="no file"),
        pytest.param(FEED.format("a.cfg"), "c.toml:3: feed.1.file: must be an absolute path", id="a relative file"),
        pytest.param(FEED.format("/etc/haproxy/"), "feed.1.file: must be the path of a file, not of", id="a folder"),
        pytest.param(
            FEED.format("/a") + 'timeout = "1s"', "feed.1.timeout: is for a command, and there is no", id="no command"
        ),
        pytest.param(FEED.format("/a") + 'run = "a b"', "c.toml:4: feed.1.run: must be a list", id="a shell"),
        pytest.param(
            FEED.format("/a") + "mode = 1",
            "feed.1.mode: unknown key; there are format, file, run and timeout",
            id="a mode",
        ),
        pytest.param(FEED.format("/a") * 2, "c.toml:6: feed.2.file: /a is another feed's as well", id="a file twice"),
        pytest.param(FEED.format("/a") * 9, "feed: at most 8 feeds", id="too many feeds"),
        pytest.param("ports = 11434", "c.toml:1: ports: must be a list of ports; write [11434]", id="one port"),
        pytest.param("ports = []", "ports: must be a list of ports, such as [11434]", id="no port"),
        pytest.param("ports = [0]", "`0` is no port (1 to 65535)", id="port 0"),
        pytest.param("ports = [65536]", "`65536` is no port", id="a port too high"),
        pytest.param("ports = [true]", "`True` is no port", id="no number"),
        pytest.param(f"ports = {list(range(1, 18))}", "at most 16 ports", id="too many ports"),
        pytest.param("interval = 30", 'must be a duration with a unit, such as "30s" or "2m", not 30', id="no unit"),
        pytest.param('interval = "30 days"', "must be a duration with a unit", id="an unknown unit"),
        pytest.param('interval = "2h"', "2h is out of range: 1s to 1h", id="too long"),
        pytest.param('timeout = "100ms"', "100ms is out of range: 500ms to 30s", id="too short"),
        pytest.param('prefer = "gpu"', 'prefer: must be a list; write ["gpu"]', id="a text in the place of a list"),
        pytest.param("prefer = [1]", "prefer: must be a list of texts", id="a list of numbers"),
        pytest.param('allow = ["local"]', "`local` stands in prefer only", id="local in allow"),
        pytest.param('deny = ["mdns"]', "`mdns` stands in prefer only; whom to use of the LAN", id="mdns in deny"),
        pytest.param('deny = [" x"]', "deny: an entry is empty or has blanks around it", id="blanks in an entry"),
        pytest.param('trusted_networks = ["gpu"]', "`gpu` is no IP or network", id="no network"),
        pytest.param('trusted_networks = ["0.0.0.0/0"]', "`0.0.0.0/0` is too wide to be trusted", id="the internet"),
        pytest.param('trusted_networks = ["8000::/1"]', "is too wide to be trusted; at most a /7", id="half of IPv6"),
        pytest.param('allow = ["*"]', "`*` would let in everybody's machines", id="everybody"),
        pytest.param('tailscale = "/a\\u0000b"', "must be an absolute path", id="a path with a NUL"),
        pytest.param(
            'local = "frist"', "first, last, off, not 'frist'; did you mean `first`?", id="a typo in a choice"
        ),
        pytest.param("log_level = 1", "must be one of debug, info, warning, error, not 1", id="no log level"),
        pytest.param('tailscale = "tailscale"', "must be an absolute path, not 'tailscale'", id="a relative path"),
        pytest.param("tailscale = 1", "must be an absolute path, not 1", id="no path"),
        pytest.param('static = "x"', "static: must be a table: [static]", id="static is a table"),
        pytest.param('[static]\n\n"a b" = "http://h:1"', "c.toml:1: static.a b: a name has letters", id="a blank name"),
        pytest.param("machines = true", "c.toml:1: machines: must be a number from 0 to 1,000,000", id="no number"),
        pytest.param("machines = -1", "c.toml:1: machines: must be a number from 0 to 1,000,000", id="less than none"),
        pytest.param('sentinel = "no"', "c.toml:1: sentinel: must be true or false", id="a text for a yes or no"),
        pytest.param('[static]\nlocal = "http://h:1"', "c.toml:2: static.local: a name has", id="a name that is taken"),
        pytest.param("[static]\nx = 1", "c.toml:2: static.x: must be a URL such as", id="no URL"),
        pytest.param('[static]\nx = "h:1"', "`h:1` must begin with http:// or https:// and a host", id="no scheme"),
        pytest.param('[static]\nx = "http://"', "`http://` must begin with", id="no host"),
        pytest.param('[static]\nx = "http://h:x"', "`http://h:x` is no URL", id="no port number"),
        pytest.param('[static]\nx = "http://[::1"', "is no URL: Invalid IPv6 URL", id="half an IPv6 address"),
        pytest.param('[static]\nx = "http://h"', "write the port: http://h:11434", id="no port"),
        pytest.param('[static]\nx = "http://h:0"', "has a host or port that cannot be used", id="port 0 of a URL"),
        pytest.param('[static]\nx = "http://h$(x):1"', "has a host or port that cannot be used", id="a hostile host"),
        pytest.param('[static]\nx = "http://me@h:1"', "a URL holds no login", id="a login"),
        pytest.param('[static]\nx = "http://h:1?a"', "no query, no fragment", id="a query"),
        pytest.param('[static]\nx = "http://h:1#a"', "no query, no fragment", id="a fragment"),
        pytest.param("forward = 1", "forward: must be a table: [forward]", id="forward is a table"),
        pytest.param("[forward]", 'forward: needs an address: listen = "127.0.0.1:11435"', id="forward needs listen"),
        pytest.param(
            "[forward]\nport = 1",
            "c.toml:2: forward.port: unknown key; there are listen and desktop",
            id="forward: a key",
        ),
        pytest.param(
            '[forward]\nlisten = "localhost:1"', "forward.listen: must be an IP address", id="forward: a name"
        ),
        pytest.param("[forward]\nlisten = 1", "forward.listen: must be an IP address", id="forward: a number"),
        pytest.param(
            '[forward]\nlisten = "127.0.0.1:1"\ndesktop = 1',
            "forward.desktop: must be true or false",
            id="forward.desktop",
        ),
        pytest.param(
            '[forward]\nlisten = "127.0.0.1:11434"',
            "c.toml:2: forward.listen: port 11434 is where",
            id="forward: Ollama's port",
        ),
        pytest.param(
            '[static]\nme = "http://127.0.0.1:1"\n[forward]\nlisten = "127.0.0.1:1"',
            "c.toml:4: forward.listen: the static server `me` is this very address",
            id="forward to itself",
        ),
        pytest.param("variables = 1", "variables: must be a table: [variables]", id="variables is a table"),
        pytest.param('[variables]\n"A B" = "{url}"', "variables.A B: this name cannot be set", id="no variable's name"),
        pytest.param('[variables]\nPATH = "{url}"', "c.toml:2: variables.PATH: this name cannot be set", id="PATH"),
        pytest.param('[variables]\nLD_PRELOAD = "{url}"', "this name cannot be set", id="LD_PRELOAD"),
        pytest.param('[variables]\nOLLAMA_LOCATE_OFF = "1"', "this name cannot be set", id="a switch of our own"),
        pytest.param('[variables]\n__ol_x = "1"', "this name cannot be set", id="what the hooks work with"),
        pytest.param(
            "[variables]\n" + "".join(f'A{n} = "1"\n' for n in range(32)), "at most 32 variables", id="too many"
        ),
        pytest.param('[variables]\nOLLAMA_ENDPOINT = "{host}"', 'is always "{url}"', id="another endpoint"),
        pytest.param("[variables]\nA = 1", 'must be a text such as "{url}"', id="no template"),
        pytest.param(
            '[variables]\nA = "{urk}"', "`{urk}`: only {url}, {host}, {port}, {name}, letters", id="a typo in a mark"
        ),
        pytest.param('[variables]\nA = "{url} x"', "`{url} x`: only {url}", id="a blank in a template"),
        pytest.param('[variables]\nA = "{url"', "`{url`: only {url}", id="half a mark"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_mend(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert says in str(caught.value)
    assert str(caught.value).startswith("c.toml")


def test_bytes_that_are_no_text_are_a_mistake_too() -> None:
    with pytest.raises(ConfigError, match=r"c\.toml: not valid TOML: 'utf-8' codec"):
        parse_config(b"\xff", "c.toml")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('interval = "99999\\ns"', id="a duration with a line's end"),
        pytest.param('allow = ["a/\\nb"]', id="a network with a line's end"),
        pytest.param('trusted_networks = ["a\\u001b[2Jb"]', id="a network with an escape sequence"),
        pytest.param('[static]\nx = "http://\\u2028\\u2100@"', id="a host that changes under NFKC"),
    ],
)
def test_a_mistake_is_one_line_whatever_the_file_holds(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).isprintable()


def test_a_number_beyond_reason_is_a_mistake_too() -> None:
    with pytest.raises(ConfigError):
        read("ports = " + "1" * 5000)


def test_a_static_url_that_cannot_be_published_is_refused() -> None:
    with pytest.raises(ConfigError):
        read(f'[static]\nx = "http://{"a" * 505}:11434"')


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{url}", "http://[fd00::7]:8080"),
        ("{url}/v1", "http://[fd00::7]:8080/v1"),
        ("{host}:{port}", "[fd00::7]:8080"),
        ("{name}", "gpu-box"),
        ("constant", "constant"),
    ],
)
def test_a_template_is_filled_in(template: str, value: str) -> None:
    assert expand(template, "http://[fd00::7]:8080", "gpu-box") == value


@pytest.mark.parametrize("name", [pytest.param("", id="nobody was found"), pytest.param("a b", id="a hostile name")])
def test_a_name_that_cannot_be_written_leaves_its_variable_empty(name: str) -> None:
    assert expand("on-{name}", "http://h:1", name) == ""


def test_a_pin_to_the_forward_itself_is_not_followed() -> None:
    config = read('[forward]\nlisten = "127.0.0.1:11435"')
    assert config.settings(Pin("pinned", "http://localhost:11435")).policy.static == ()
    assert len(config.settings(Pin("pinned", "http://localhost:11436")).policy.static) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"ports = {list(range(1, 17))}", id="ports"),
        pytest.param("ports = [1, 65535]", id="the first port and the last"),
        pytest.param('[[on_change]]\nrun = ["a"]\n' * 16, id="commands"),
        pytest.param("".join(FEED.format(f"/a{number}") for number in range(8)), id="feeds"),
        pytest.param("[variables]\n" + "\n".join(f'A{number} = "x"' for number in range(31)), id="variables"),
        pytest.param('[variables]\nOLLAMA_ENDPOINT = "{url}"', id="the one that is always there"),
        pytest.param(f"[mdns]\nservices = {[f'_a{number}._tcp.local' for number in range(8)]}", id="services"),
        pytest.param(f"[models]\nrequire = {['m'] * 16}", id="required models"),
        pytest.param("[models.alias]\n" + "\n".join(f'a{number} = "m"' for number in range(64)), id="aliases"),
        pytest.param('[forward]\nlisten = "127.0.0.1:11435"', id="a forward that is no desktop's"),
        pytest.param('interval = "1s"\ntimeout = "500ms"', id="the shortest"),
        pytest.param('interval = "1h"\ntimeout = "30s"', id="the longest"),
        pytest.param("machines = 1000000", id="machines"),
    ],
)
def test_as_much_as_may_be_is_read(text: str) -> None:
    read(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("ports = [1.5]", "`1.5` is no port", id="half a port"),
        pytest.param('ports = ["11434"]', "`11434` is no port", id="a text"),
        pytest.param("ports = {a = 1}", "must be a list of ports, such as [11434]", id="a table"),
        pytest.param('prefer = {a = "gpu"}', "must be a list of texts", id="a table of names"),
        pytest.param('prefer = ["gpu", 1]', "must be a list of texts", id="a number among them"),
        pytest.param("[[on_change]]\nrun = []", "must be a list of words: run", id="no words"),
        pytest.param('[[on_change]]\nrun = ["a", 1]', "must be a list of words: run", id="a number among them"),
        pytest.param('[[on_change]]\nrun = {a = "b"}', "must be a list of words: run", id="a table of words"),
        pytest.param('[[on_change]]\nrun = ["/bin/a", "b\\u0000"]', "a word holds a NUL", id="a NUL in a later word"),
        pytest.param('on_change = [{run = ["a"]}, 1]', "on_change: must be tables", id="a number among tables"),
        pytest.param("local = 1", "must be one of auto, first, last, off, not 1", id="a number for a choice"),
        pytest.param(
            "[variables]\n" + "\n".join(f'A{n} = "x"' for n in range(32)), "at most 32 variables", id="too many"
        ),
        pytest.param('[variables]\nA = "{nonsense}"', "`{nonsense}`: only {url}, {host}, {port}, {name}", id="a mark"),
        pytest.param("[variables]\nA = 1", 'must be a text such as "{url}"', id="a number for a template"),
    ],
)
def test_a_mistake_among_others_is_named(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert says in str(caught.value)


def test_the_daemon_s_switches_are_on_unless_turned_off() -> None:
    found = read("")
    assert (found.sentinel, found.history) == (True, True)
    settings = found.settings()
    assert (settings.sentinel, settings.cloud, settings.speeds) == (True, False, ())
    assert not Forward("127.0.0.1", 11435).desktop


def test_speeds_count_where_servers_are_ranked_by_them_only() -> None:
    speeds = (Speed("n2:11434", "a:1", "d" * 12, 1e9, 0.1, 10.0),)
    assert read('rank = "speed"').settings(speeds=speeds).speeds == speeds
    assert read("").settings(speeds=speeds).speeds == ()


def test_a_forward_is_warned_of_where_it_is_open_only() -> None:
    assert read('[forward]\nlisten = "127.0.0.1:11435"').warnings == ()
