"""The guide to a user's own scorers shows configurations that are valid, metrics that exist, and keys that there are."""

import re
import tomllib
from pathlib import Path

import pytest

from holdfast.score.registry import METRICS
from holdfast.settings import Settings

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "scorers.md").read_text()
BLOCKS = re.findall(r"```toml\n(.*?)```", GUIDE, re.S)


def test_the_guide_shows_every_kind() -> None:
    assert {tomllib.loads(block)["scorers"].popitem()[1]["kind"] for block in BLOCKS} == {"judge", "huggingface", "endpoint"}


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_configuration_of_the_guide_is_valid(number: int) -> None:
    (specification,) = Settings.model_validate(tomllib.loads(BLOCKS[number])).scorers.values()
    assert specification.metric not in METRICS
    assert not specification.corrects or specification.corrects in METRICS


def test_the_metrics_that_the_guide_labels_and_calibrates_exist() -> None:
    assert set(re.findall(r"--metric (\w+)|/metrics/(\w+)/rate", GUIDE)) <= {("ungrounded_answer", ""), ("", "ungrounded_answer")}
    assert "ungrounded_answer" in METRICS
