"""The stream of a pull: how far it is, how fast, and what is wrong with it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.bounds_models import (
    PULL_LAYERS_MAX,
    PULL_QUIET,
    PULL_RATE_WINDOW,
    PULL_STATUSES_MAX,
    PULL_VERIFY,
)
from ollama_locate.core.pulling import Failure, Meter, Trouble, parse_error, sizes, speed, stopped_before_its_end, told


def line(**words: Any) -> bytes:
    return json.dumps(words).encode()


def layer(name: str, total: Any, completed: Any = None) -> bytes:
    return line(status=f"pulling {name}", digest=f"sha256:{name}", total=total, completed=completed)


def fed(*lines: bytes, every: float = 1.0) -> Meter:
    meter = Meter(0.0)
    for place, one in enumerate(lines, 1):
        assert meter.feed(one, place * every) is None
    return meter


@pytest.mark.parametrize(
    ("lines", "completed", "total"),
    [
        pytest.param([line(status="pulling manifest")], 0, 0, id="no layer yet"),
        pytest.param([layer("a", 10)], 0, 10, id="a layer before its first byte"),
        pytest.param([layer("a", 10, 4), layer("b", 5, 1)], 5, 15, id="layers add up"),
        pytest.param([layer("a", 10, 4), layer("a", 10, 7)], 7, 10, id="a layer that comes on counts once"),
        pytest.param([layer("a", 10, 7), layer("a", 10, 4)], 7, 10, id="none goes back"),
        pytest.param([layer("a", 10, 99)], 10, 10, id="more than all is all"),
        pytest.param([layer("a", -5, -9)], 0, 0, id="less than nothing is nothing"),
        pytest.param([layer("a", 10, 7), layer("a", 3, 3)], 7, 7, id="a layer that shrinks"),
        pytest.param([layer("a", 2**63, 1)], 1, 2**60, id="a number that is too large"),
        pytest.param(
            [layer(str(n), 1, 1) for n in range(999)], PULL_LAYERS_MAX, PULL_LAYERS_MAX, id="a flood of layers"
        ),
        pytest.param([b"", b" \r", layer("a", 1, 1)], 1, 1, id="empty lines"),
        pytest.param([line(status="x", digest="sha256:a")], 0, 0, id="a layer without a size"),
    ],
)
def test_bytes_are_summed_over_the_layers(lines: list[bytes], completed: int, total: int) -> None:
    meter = fed(*lines)
    assert (meter.completed, meter.total) == (completed, total)


def test_success_ends_it() -> None:
    assert not fed(layer("a", 1, 1)).done
    assert fed(layer("a", 1, 1), line(status="success"), line(status="more")).done


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("pull model manifest: file does not exist", Trouble.NO_SUCH_MODEL),
        ("pull model manifest: 404: manifest unknown", Trouble.NO_SUCH_MODEL),
        ("invalid model name", Trouble.NO_SUCH_MODEL),
        ("write /x/sha256-1-partial: no space left on device", Trouble.NO_SPACE),
        ("write C:\\x: There is not enough space on the disk.", Trouble.NO_SPACE),
        ('Get "https://r/v2/": dial tcp: lookup r: no such host', Trouble.NETWORK),
        ("max retries exceeded: unexpected EOF", Trouble.NETWORK),
        ("digest mismatch, file must be downloaded again: want a, got b", Trouble.NETWORK),
        ("pull model manifest: insecure protocol http", Trouble.INSECURE),
        ("http: server gave HTTP response to HTTPS client", Trouble.INSECURE),
        ("pull model manifest: tls: first record does not look like a TLS handshake", Trouble.INSECURE),
        ("unauthorized: access denied", Trouble.DENIED),
        ("pull model manifest: 412: requires a newer version of Ollama", Trouble.TOO_OLD),
        ("part 3 stalled", Trouble.STALLED),
        ("open /x: permission denied", Trouble.OTHER),
        ("", Trouble.OTHER),
    ],
)
def test_errors_are_told_apart(text: str, trouble: Trouble) -> None:
    failure = Meter(0.0).feed(line(error=text), 1.0)
    assert failure is not None
    assert failure.trouble is trouble
    assert trouble.mend in failure.text


def test_an_error_is_safe_to_show() -> None:
    assert told("a\x1b[2Jb\nc").detail == "a [2Jb c"
    assert len(told("x" * 10**6).detail) < 300
    assert Meter(0.0).feed(line(error={"no": "text"}), 1.0) == Failure(Trouble.OTHER, "an error without words")


@pytest.mark.parametrize("junk", [b"<html>", b"\xff\xfe", b"[" * 10_000, b"[]", b"7", b'{"total":"much"}', b"\0"])
def test_what_is_no_line_of_a_pull_is_not_ollamas(junk: bytes) -> None:
    failure = Meter(0.0).feed(junk, 1.0)
    assert failure is not None
    assert failure.trouble is Trouble.NOT_OLLAMA


@pytest.mark.parametrize(
    ("body", "said"),
    [(b'{"error":"no"}', "no"), (b'{"error":7}', ""), (b"{}", ""), (b"<html>", ""), (b"", ""), (b"\xff", "")],
)
def test_the_words_of_an_error(body: bytes, said: str) -> None:
    assert parse_error(body) == said


def test_the_rate_is_that_of_the_last_seconds() -> None:
    meter = fed(*(layer("a", 10_000, n * 100) for n in range(11)))
    assert meter.rate(11.0) == pytest.approx(100)
    assert meter.left(11.0) == pytest.approx(90)
    for second in range(12, 18):
        meter.feed(layer("a", 10_000, 1000 + (second - 11) * 500), float(second))
    assert meter.rate(17.0) == pytest.approx(500)


def test_what_an_earlier_try_has_brought_is_no_speed() -> None:
    meter = fed(layer("a", 10_000, 9000), layer("a", 10_000, 9100), layer("b", 10_000, 9000))
    assert meter.completed == 18_100
    assert meter.rate(3.0) == pytest.approx(100 / 3)


def test_nothing_is_foretold_while_too_little_is_known() -> None:
    meter = Meter(0.0)
    assert meter.rate(0.1) is meter.left(0.1) is None
    meter.feed(layer("a", 100, 0), 1.0)
    assert meter.rate(60.0) is meter.left(60.0) is None


@pytest.mark.parametrize(
    ("lines", "patience"),
    [
        pytest.param([], PULL_QUIET, id="before its first word"),
        pytest.param([line(status="pulling manifest")] * 3, PULL_QUIET, id="the same step again and again"),
        pytest.param([layer("a", 10, 5)] * 3, PULL_QUIET, id="the same bytes again and again"),
        pytest.param([layer("a", 1, 1), line(status="verifying sha256 digest")], PULL_VERIFY, id="it verifies"),
    ],
)
def test_who_does_not_come_on_is_stalled(lines: list[bytes], patience: float) -> None:
    meter = fed(*lines, every=0.0)
    assert meter.stalled(patience - 0.1) is None
    failure = meter.stalled(patience)
    assert failure is not None
    assert failure.trouble is Trouble.STALLED


def test_more_bytes_are_progress() -> None:
    meter = fed(layer("a", 10, 1))
    meter.feed(layer("a", 10, 2), 100.0)
    assert meter.stalled(100.0 + PULL_QUIET - 1) is None


def test_a_server_that_finds_new_words_for_ever_is_stalled_in_the_end() -> None:
    meter = fed(*(line(status=str(n)) for n in range(PULL_STATUSES_MAX + 500)), every=0.0)
    meter.feed(line(status="another"), 500.0)
    assert meter.moved_at == 0.0


def test_words_are_cut_and_counted() -> None:
    for length, shown in ((80, "w" * 80), (81, "w" * 79 + "…")):
        assert fed(line(status="w" * length)).status == shown
    assert fed(line(status="a\x1bb")).status == "a b"
    assert fed(line(status="a"), line(status="")).status == "a"
    for count, last in (
        (PULL_STATUSES_MAX, f"{PULL_STATUSES_MAX - 1}"),
        (PULL_STATUSES_MAX + 1, f"{PULL_STATUSES_MAX - 1}"),
    ):
        assert fed(*(line(status=str(n)) for n in range(count)), every=0.0).status == last
    repeated = fed(*[line(status="a")] * (PULL_STATUSES_MAX + 5), line(status="b"), every=0.0)
    assert repeated.status == "b", "a step that repeats itself is one"


def test_digests_that_begin_alike_are_one_layer() -> None:
    same = [line(status="x", digest="d" * 128 + end, total=10) for end in "ab"]
    assert fed(*same).total == 10
    assert fed(*(line(status="x", digest="d" * 127 + end, total=10) for end in "ab")).total == 20
    assert fed(line(status="x", total=10)).total == 0


def test_what_is_no_line_is_quoted_in_short() -> None:
    failure = Meter(0.0).feed(b"j" * 41, 1.0)
    assert failure is not None
    assert failure.detail == "no line of a pull: b'" + "j" * 40 + "'"
    failure = Meter(0.0).feed(b"\0" * 41, 1.0)
    assert failure is not None
    assert failure.detail == "no line of a pull: b'" + ("\\x00" * 15)[:57] + "…"


def test_what_it_does_is_said_of_one_that_is_stalled() -> None:
    assert Meter(0.0).stalled(PULL_QUIET) == Failure(Trouble.STALLED, f"nothing came for {PULL_QUIET:.0f} s")
    failure = fed(line(status="pulling manifest"), every=0.0).stalled(PULL_QUIET)
    assert failure == Failure(Trouble.STALLED, f"nothing came for {PULL_QUIET:.0f} s (pulling manifest)")
    assert stopped_before_its_end().trouble is Trouble.ENDED


@pytest.mark.parametrize(
    ("completed", "total", "text"),
    [
        (999_400, 999_400, "999/999 kB"),
        (999_949, 999_949, "1000/1000 kB"),
        (0, 1_000_000, "0.0/1.0 MB"),
        (0, 10**9, "0.0/1.0 GB"),
        (0, 999_950_000, "0.0/1000.0 MB"),
        (0, 999_949_999, "0.0/999.9 MB"),
    ],
)
def test_units_begin_where_they_are_whole(completed: int, total: int, text: str) -> None:
    assert sizes(completed, total) == text


def test_the_unit_of_a_speed() -> None:
    assert [speed(rate) for rate in (999_400.0, 999_999.0, 1e6, 1_000_000.5)] == [
        "999 kB/s",
        "1000 kB/s",
        "1.0 MB/s",
        "1.0 MB/s",
    ]


def test_the_rate_is_known_after_a_tenth_of_the_window() -> None:
    soon = PULL_RATE_WINDOW / 10
    meter = Meter(1000.0)
    meter.feed(layer("a", 10_000, 0), 1000.0)
    meter.feed(layer("a", 10_000, 100), 1000.0 + soon)
    assert meter.rate(1000.0 + soon - 0.01) is None
    assert meter.rate(1000.0 + soon) == pytest.approx(100 / soon)


@pytest.mark.parametrize(
    ("completed", "total", "text"),
    [(0, 900, "0/1 kB"), (1_200_000, 4_000_000, "1.2/4.0 MB"), (1.2e9, 4.1e9, "1.2/4.1 GB"), (5e6, 2e9, "0.0/2.0 GB")],
)
def test_sizes_for_people(completed: float, total: float, text: str) -> None:
    assert sizes(int(completed), int(total)) == text


def test_speeds_for_people() -> None:
    assert speed(34_520_000) == "34.5 MB/s"
    assert speed(2300) == "2 kB/s"


LINES = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(["status", "digest", "total", "completed", "error", "x"]),
        st.one_of(st.text(max_size=20), st.integers(), st.floats(), st.none(), st.lists(st.integers(), max_size=2)),
    ).map(lambda words: json.dumps(words).encode()),
    st.builds(layer, st.sampled_from("abc"), st.integers(-5, 2**70), st.integers(-5, 2**70)),
)


@given(st.lists(st.tuples(LINES, st.floats(0, 1e4)), max_size=40))
def test_whatever_comes_the_meter_keeps_its_promises(steps: list[tuple[bytes, float]]) -> None:
    meter, now, before = Meter(0.0), 0.0, 0
    for one, later in steps:
        now += later
        failure = meter.feed(one, now)
        assert failure is None or failure.detail.isprintable()
        assert 0 <= before <= meter.completed <= meter.total
        before = meter.completed
        rate, left = meter.rate(now), meter.left(now)
        assert rate is None or rate > 0
        assert left is None or left >= 0
        assert meter.status.isprintable()
