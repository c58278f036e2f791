"""A scatter chart as SVG, without a library: dots with their names beside them."""

import math
from collections.abc import Mapping
from html import escape
from typing import Final

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 420, 70, 60, 20, 170
INK: Final = "#333"
WORD, LINE = 180, 20  # room a name takes to the right, and a line of text


def scatter(points: Mapping[str, tuple[float, float]], *, across: str, up: str) -> str:
    """Dots at (x, y), both >= 0, with axes from 0; across and up name the axes and their units."""
    most_x, most_y = (_round_up(max(values)) for values in zip(*points.values(), strict=True))
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    bottom = HEIGHT - BOTTOM
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" '
        f'font-size="13" fill="{INK}"><title>{escape(up)} against {escape(across)}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    )
    parts = [
        head,
        f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="{INK}"/>',
        f'<text x="{LEFT + wide / 2:.0f}" y="{HEIGHT - 14}" text-anchor="middle">{escape(across)}</text>',
        f'<text transform="translate(18 {TOP + high / 2:.0f}) rotate(-90)" text-anchor="middle">{escape(up)}</text>',
    ]
    for fifth in range(6):
        x, y = LEFT + wide * fifth / 5, bottom - high * fifth / 5
        parts.append(f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{most_x * fifth / 5:g}</text>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{most_y * fifth / 5:g}</text>')
    dots = {name: (LEFT + wide * x / most_x, bottom - high * y / most_y) for name, (x, y) in points.items()}
    for name, (x, y) in dots.items():
        crowded = any(0 < other_x - x < WORD and abs(other_y - y) < LINE for other_x, other_y in dots.values())
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#1f6f8b"/>')
        parts.append(f'<text x="{x + 9:.1f}" y="{y + (LINE if crowded else 4):.1f}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _round_up(value: float) -> float:
    """The next figure above whose fifths are round; 1 for 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(times * power for times in (1, 1.5, 2, 2.5, 5, 6, 10) if times * power >= value)
