from holdfast.score.registry import METRICS
from scripts.metrics_reference import PAGE, page


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_the_reference_page_names_every_metric() -> None:
    text = page()
    assert not [name for name in METRICS if f"`{name}`" not in text and f"`{name.removeprefix('evaluation.')}`" not in text]
