"""All pages and their files."""

import pytest

from tests.console.conftest import Visitor


@pytest.mark.parametrize(
    ("name", "kind"), [("console.css", "text/css"), ("console.js", "text/javascript"), ("mark.svg", "image/svg+xml")]
)
def test_style_and_script_are_there_before_anybody_signed_in(visitor: Visitor, name: str, kind: str) -> None:
    answer = visitor.get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize("name", ["../router.py", "..%2frouter.py", "nothing.js", "console.css%00"])
def test_no_other_file_is(visitor: Visitor, name: str) -> None:
    assert visitor.get(f"/static/{name}").status_code == 404


def test_script_and_style_take_nothing_from_elsewhere(visitor: Visitor) -> None:
    for name in ("console.css", "console.js"):
        text = visitor.get(f"/static/{name}").text
        assert "http://" not in text
        assert "https://" not in text
        assert "innerHTML =" not in text
