"""The map of an answer as a file of its own."""

from xml.etree import ElementTree as Xml

import pytest
from flask import Flask
from markupsafe import Markup

from callcenter.places import territory_map
from callcenter.places.territory_map import Area
from surveys.analysis import map_picture
from surveys.analysis.map_picture import MapPicture
from tests.callcenter.territory_files import square


def _area(place: int, label: str, value: float | None, *, is_hidden: bool = True) -> Area:
    outline = {"type": "Polygon", "coordinates": [square(place, 0)]}
    return Area(label, value, outline, url=f"/{label}", is_hidden=is_hidden)


@pytest.fixture
def drawing(app: Flask) -> Markup:
    areas = [
        _area(0, "Alto", 0.3),
        _area(1, "Bajo", 0.5),
        _area(2, "Pocos", None),
        _area(3, "Nadie", None, is_hidden=False),
    ]
    with app.test_request_context(headers={"Accept-Language": "en"}):
        return territory_map.paint(areas, title="x", as_share=True, fewest=10)


def test_the_file_has_its_own_colours_legend_and_words(drawing: Markup) -> None:
    title = "Poll: «Azul» & more by municipality, in a title that is far too long to stand in one line of a picture"
    svg = map_picture.draw(MapPicture(title, drawing, ["not weighted"], "INTERNAL USE"), "svg").decode()
    whole = Xml.fromstring(svg)
    words = [text.text or "" for text in whole.iter(f"{{{map_picture.SVG}}}text")]
    assert words[:2] == [title[: len(words[0])], title[len(words[0]) + 1 :]]
    assert {"not weighted", "30%", "50%", "not known", "INTERNAL USE"} <= set(words)
    assert any("fewer than 10 people" in word for word in words)
    assert ".map-2{fill:#a9b5ee}" in svg
    assert "href" not in svg  # pages are for readers who have signed in
    assert len([path for path in whole.iter() if path.tag.endswith("path")]) == 4


def test_it_is_drawn_as_png_too(drawing: Markup) -> None:
    assert map_picture.draw(MapPicture("x", drawing, [], "x"), "png").startswith(b"\x89PNG")


def test_without_an_outline_there_is_no_picture() -> None:
    assert map_picture.draw(MapPicture("x", Markup(""), [], "x"), "svg") == b""
