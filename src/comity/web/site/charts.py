"""Small charts as SVG, drawn here: nothing to load, and the figures stand beside them as text."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup, escape

_WIDE: Final = 640
_HIGH: Final = 180
_LEFT: Final = 34
_RIGHT: Final = 8
_TOP: Final = 8
_BOTTOM: Final = 22
_BAR: Final = '<rect class="bars" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}: {}</title></rect>'
_FULL: Final = 100_000  # thousandths: the highest standing


class Point(NamedTuple):
    """A day of a curve. label: of the day, as it is to be read; value, low, high: standing in thousandths."""

    label: str
    value: int
    low: int
    high: int


def curve(points: Sequence[Point], title: str, lines: Sequence[tuple[str, int]] = ()) -> Markup:
    """Standing over days, with the interval in which it surely lies.

    title: what the whole shows, for those who do not see it; lines: name and place (thousandths) of where bands begin.
    Raises ValueError without a point.
    """
    if not points:
        raise ValueError("a curve needs at least one point")
    upper = " ".join(f"{_x(n, len(points))},{_y(p.high)}" for n, p in enumerate(points))
    lower = " ".join(f"{_x(n, len(points))},{_y(p.low)}" for n, p in reversed(list(enumerate(points))))
    trend = " ".join(f"{_x(n, len(points))},{_y(p.value)}" for n, p in enumerate(points))
    parts = [
        Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(_WIDE, _HIGH, title),
        *(_grid(at) for at in range(0, _FULL + 1, 25_000)),
        *(_line(name, at) for name, at in lines),
        Markup('<polygon class="shade" points="{} {}"/>').format(upper, lower),
        Markup('<polyline class="trend" points="{}"/>').format(trend),
        Markup('<text x="{}" y="{}">{}</text>').format(_LEFT, _HIGH - 6, points[0].label),
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_WIDE - _RIGHT, _HIGH - 6, points[-1].label),
        Markup("</svg>"),
    ]
    return Markup("").join(parts)


def bars(counts: Sequence[tuple[str, int]], title: str) -> Markup:
    """How many of something, by day or week: each bar says its own figure. Raises ValueError without a bar."""
    if not counts:
        raise ValueError("a chart needs at least one bar")
    most = max(1, *(count for _, count in counts))
    step = (_WIDE - _LEFT - _RIGHT) / len(counts)
    room = _HIGH - _TOP - _BOTTOM
    drawn = []
    for n, (label, count) in enumerate(counts):
        high = room * count / most
        x, y = _LEFT + n * step + step * 0.1, _TOP + room - high
        drawn.append(Markup(_BAR).format(x, y, step * 0.8, high, label, count))  # noqa: S704  our own form
    parts = [
        Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(_WIDE, _HIGH, title),
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_LEFT - 6, _TOP + 10, most),
        Markup('<path class="grid" d="M{} {}H{}"/>').format(_LEFT, _HIGH - _BOTTOM, _WIDE - _RIGHT),
        *drawn,
        Markup('<text x="{}" y="{}">{}</text>').format(_LEFT, _HIGH - 6, escape(counts[0][0])),
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_WIDE - _RIGHT, _HIGH - 6, counts[-1][0]),
        Markup("</svg>"),
    ]
    return Markup("").join(parts)


def _grid(at: int) -> Markup:
    text = Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_LEFT - 6, float(_y(at)) + 4, at // 1000)
    return Markup('<path class="grid" d="M{} {}H{}"/>').format(_LEFT, _y(at), _WIDE - _RIGHT) + text


def _line(name: str, at: int) -> Markup:
    title = Markup("<title>{}</title>").format(name)
    return Markup('<path class="band-line" d="M{} {}H{}">{}</path>').format(_LEFT, _y(at), _WIDE - _RIGHT, title)


def _x(place: int, of: int) -> str:
    return f"{_LEFT + (_WIDE - _LEFT - _RIGHT) * place / max(of - 1, 1):.1f}"


def _y(thousandths: int) -> str:
    return f"{_TOP + (_HIGH - _TOP - _BOTTOM) * (1 - thousandths / _FULL):.1f}"
