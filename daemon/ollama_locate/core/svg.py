"""Round trips over time as a picture: one line for each server, broken where it did not answer."""

import datetime as dt
import html
import math
from collections.abc import Iterator, Sequence
from typing import Final

from .bounds import HISTORY_FLUSH
from .history import Sample, Switch
from .plot import Scale, Span, by_server, scale

_WIDTH: Final = 960
_HEIGHT: Final = 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 220, 30, 50
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#4d4d4d")
"""Okabe and Ito's palette, which people with colour-blindness tell apart."""

_NAMED: Final = len(_COLOURS) * 2
_TICKS: Final = 6
_GAP: Final = 2.5 * HISTORY_FLUSH
"""Two samples further apart than this are not joined: nobody looked in between."""


def svg(samples: Sequence[Sample], changed: Sequence[Switch], span: Span) -> str:
    """A whole SVG file. All text in it is escaped; the names come from the network."""
    common = scale(samples)
    inner = [*_frame(common, span)]
    inner += [_switch(one, span) for one in changed if span.start <= one.at <= span.end]
    for place, several in enumerate(by_server(samples).values()):
        colour = _COLOURS[place % len(_COLOURS)]
        dashes = ' stroke-dasharray="5 3"' if place >= len(_COLOURS) else ""
        inner += [
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dashes}/>'
            for path in _paths(several, common, span)
        ]
        if place < _NAMED:
            inner.append(_text(_WIDTH - _RIGHT + 12, _TOP + 12 + 18 * place, several[-1].name, colour))
    body = "\n".join(inner)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>\n'
        f"<title>Round trips to the Ollama servers</title>\n{body}\n</svg>\n"
    )


def _x(at: float, span: Span) -> float:
    share = (at - span.start) / max(1e-9, span.end - span.start)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, common: Scale) -> float:
    return _HEIGHT - _BOTTOM - common.share(value) * (_HEIGHT - _TOP - _BOTTOM)


def _paths(samples: Sequence[Sample], common: Scale, span: Span) -> Iterator[str]:
    """Polylines, one for each time in which it answered; a single answer is a short dash."""
    points: list[str] = []
    last = float("-inf")
    for one in [*samples, None]:
        if points and (one is None or one.low is None or one.at - last > _GAP):
            yield f"M{' L'.join(points)}" if len(points) > 1 else f"M{points[0]} h3"
            points = []
        if one is not None and one.low is not None:
            points.append(f"{_x(one.at, span):.1f},{_y(one.low, common):.1f}")
            last = one.at


def _frame(common: Scale, span: Span) -> Iterator[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    yield f'<path d="M{_LEFT},{_TOP} V{bottom} H{right}" fill="none" stroke="#888888"/>'
    for place in range(_TICKS):
        value = common.low * math.pow(common.high / common.low, place / (_TICKS - 1))
        height = _y(value, common)
        yield f'<path d="M{_LEFT},{height:.1f} H{right}" stroke="#e6e6e6"/>'
        yield _text(8, height + 4, f"{value:.3g} ms", "#444444")
        if common.high <= common.low:
            break
    for place in range(_TICKS):
        at = span.start + place * (span.end - span.start) / (_TICKS - 1)
        yield _text(_x(at, span) - 32, bottom + 20, f"{dt.datetime.fromtimestamp(at, dt.UTC):%b %d %H:%M}", "#444444")
    yield _text(_LEFT, bottom + 40, "UTC. Dashed lines: the endpoint changed.", "#444444")


def _switch(one: Switch, span: Span) -> str:
    place = _x(one.at, span)
    words = html.escape(f"{one.left or 'start'} to {one.taken} ({one.verdict}): {one.text}")
    lines = f"M{place:.1f},{_TOP} V{_HEIGHT - _BOTTOM}"
    return f'<path d="{lines}" stroke="#bbbbbb" stroke-dasharray="2 3"><title>{words}</title></path>'


def _text(x: float, y: float, text: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{html.escape(text)}</text>'
