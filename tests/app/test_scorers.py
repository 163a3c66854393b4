"""Scorers and calibrations come from the settings, and a broken file of either stops the start."""

from pathlib import Path

import pytest

from holdfast.app.analysis import AnalysisInput, analyze
from holdfast.app.scorers import Scorers, build_scorers, extended
from holdfast.core.errors import ConfigurationError, StoreError
from holdfast.drills.scenario import Scenario
from holdfast.drills.write import write
from holdfast.report.analysis import Analysis
from holdfast.score.calibrator import FILE_NAME
from holdfast.score.refusal import Refusal
from holdfast.score.registry import METRICS
from holdfast.scoring import ScoringHere
from holdfast.settings import load
from holdfast.testing.clock import FakeClock
from holdfast.testing.model_server import Reply, ScriptedModelServer
from tests.score.build import trace

JUDGE = """
[server]
data_dir = "{folder}"

[scorers.support_judge]
kind = "judge"
url = "{url}/v1"
model = "judge-1"
rubric = "The answer is rude."
metric = "judged_rude"
sample = 1.0
corrects = "toxicity"
"""


def built(folder: Path, text: str) -> Scorers:
    (folder / "holdfast.toml").write_text(text)
    return build_scorers(load(folder / "holdfast.toml"), FakeClock())


def test_a_judge_in_the_configuration_judges(tmp_path: Path) -> None:
    with ScriptedModelServer([Reply(text='{"reason": "rude", "probability": 0.9}')]) as server:
        scorers = built(tmp_path, JUDGE.format(folder=tmp_path, url=server.url))
        scoring = extended(ScoringHere([Refusal()]), scorers, lambda _: None, patient=True)
        own, judged = scoring.begin([trace()]).result()
        scoring.close()
        scorers.close()
    assert [score.value for score in judged.scores if score.metric == "judged_rude"] == [0.9]
    assert [score.metric for score in own.scores] == ["refusal"]
    assert scorers.metrics["judged_rude"].corrects == "toxicity"


def test_without_scorers_in_the_configuration_nothing_is_added(tmp_path: Path) -> None:
    scorers = built(tmp_path, f'[server]\ndata_dir = "{tmp_path}"\n')
    assert scorers.external == ()
    assert scorers.metrics == METRICS
    assert scorers.calibrator.calibrations == []


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('rubrik = "x"', "scorers.support_judge.rubrik: no such setting"),
        ("sample = 2.0", "scorers.support_judge.sample"),
        ('kind = "oracle"', "scorers.support_judge"),
        ('metric = "refusal"', "scorers.support_judge.metric"),
        ('api_key_env = "HOLDFAST_TEST_NO_SUCH_KEY"', "scorers.support_judge.api_key_env"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, line: str, named: str) -> None:
    key = line.partition(" = ")[0]
    kept = [one for one in JUDGE.format(folder=tmp_path, url="http://127.0.0.1:9").splitlines() if not one.startswith(f"{key} ")]
    with pytest.raises(ConfigurationError, match=named):
        built(tmp_path, "\n".join([*kept, line]))


def test_a_broken_file_of_calibrations_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("nothing")
    with pytest.raises(StoreError, match=FILE_NAME):
        built(tmp_path, f'[server]\ndata_dir = "{tmp_path}"\n')


def analysed(folder: Path, config: str) -> Analysis:
    """A short healthy drill, analysed with and without the judge of `config`."""
    files = write(Scenario(calls=40, hours=1, seed=4), folder / "drill")
    (folder / "holdfast.toml").write_text(config)
    return analyze(AnalysisInput([files.traces], files.changes), load(folder / "holdfast.toml"))


def test_an_analysis_waits_for_the_judge_and_counts_only_the_applications_calls(tmp_path: Path) -> None:
    with ScriptedModelServer([Reply(text='{"reason": "rude", "probability": 0.25}')]) as server:
        judged = analysed(tmp_path, JUDGE.format(folder=tmp_path, url=server.url))
    plain = analysed(tmp_path, f'[server]\ndata_dir = "{tmp_path}"\n')
    counts = judged.coverage["support_judge"]
    assert counts["ran"] > 30
    assert (counts["failed"], counts["ran"] + counts["skipped"]) == (0, sum(plain.coverage["refusal"].values()))
    assert {m.name: m.mean for m in judged.metrics}["judged_rude"] == 0.25
    assert judged.calls == plain.calls


def test_an_analysis_without_its_judge_says_that_it_failed(tmp_path: Path) -> None:
    with ScriptedModelServer([Reply(status=401, text="wrong key")]) as server:
        judged = analysed(tmp_path, JUDGE.format(folder=tmp_path, url=server.url))
    counts = judged.coverage["support_judge"]
    assert counts["failed"] > 30
    assert counts["ran"] == 0
    assert "judged_rude" not in {m.name for m in judged.metrics}
