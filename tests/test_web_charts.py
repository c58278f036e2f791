"""Charts drawn on the server: as high as their figures, and text where they say text."""

import re
from xml.etree import ElementTree as ET

import pytest

from comity.web.site.charts import Point, bars, curve

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> ET.Element:
    """The chart as a tree; it is well-formed."""
    return ET.fromstring(str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314  our own


def test_a_curve_goes_where_the_standing_goes() -> None:
    """A higher standing stands higher, the last day at the right, and the interval lies around the line."""
    points = [Point("1 March", 95_000, 90_000, 99_000), Point("2 March", 52_700, 6_900, 85_300)]
    tree = drawn(curve(points, "Standing of ana", [("management", 70_000)]))
    trend = [tuple(map(float, pair.split(","))) for pair in tree.findall(f"{SVG}polyline")[0].attrib["points"].split()]
    shade = [tuple(map(float, pair.split(","))) for pair in tree.findall(f"{SVG}polygon")[0].attrib["points"].split()]

    assert trend[0][0] < trend[1][0]
    assert trend[0][1] < trend[1][1]
    assert shade[0][1] < trend[0][1] < shade[3][1]
    assert shade[1][1] < trend[1][1] < shade[2][1]
    assert "Standing of ana" == tree.attrib["aria-label"]


def test_bars_are_as_high_as_their_figures() -> None:
    """The highest fills the chart, half of it half; none at all is drawn flat."""
    tree = drawn(bars([("Mon", 2), ("Tue", 4), ("Wed", 0)], "Reports"))
    heights = [float(bar.attrib["height"]) for bar in tree.findall(f"{SVG}rect")]

    assert [heights[1] / 2, heights[1], 0.0] == heights
    assert 0.0 == float(drawn(bars([("Mon", 0)], "Reports")).findall(f"{SVG}rect")[0].attrib["height"])


def test_labels_are_text() -> None:
    """Whatever a label says, the chart has the same elements."""
    hostile = "<script>alert(1)</script>\"'&"
    for chart in (curve([Point(hostile, 1, 0, 2)], hostile, [(hostile, 3)]), bars([(hostile, 1)], hostile)):
        assert not re.search("<script", chart)
        assert hostile == drawn(chart).attrib["aria-label"]


def test_nothing_is_not_drawn() -> None:
    """Where there is nothing to show the page says so in words."""
    with pytest.raises(ValueError, match="at least one point"):
        curve([], "Standing")
    with pytest.raises(ValueError, match="at least one bar"):
        bars([], "Reports")
