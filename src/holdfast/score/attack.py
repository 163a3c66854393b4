"""`prompt_injection` with a second opinion: the encoder's, where rules and the head over n-grams leave doubt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log

from msgspec.structs import replace

from holdfast.core.score import Metric, Score
from holdfast.core.trace import Trace
from holdfast.score.injection import DOCUMENT_INJECTION, PROMPT_INJECTION, Injection
from holdfast.score.language import in_english
from holdfast.score.opinion import VERSION, opinion
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import Reading, reading_of
from holdfast.score.safety import Band, Weights, blended, within
from holdfast.score.second import STOOD_IN, UNLIMITED, SecondOpinions
from holdfast.score.text import sigmoid

HEAD = PROMPT_INJECTION.name
ATTACK = Weights(first=0.5, second=1.0, shift=0.0)
"""Fitted on sources that neither opinion was trained on (`training.encoder.points`)."""


@dataclass(frozen=True)
class Attack:
    """Judges as `Injection` does; English questions whose log-odds lie in `unsure` are read by the encoder as well."""

    unsure: Band = (-3.0, 4.0)
    first: Injection = field(default_factory=Injection)
    second: SecondOpinions = UNLIMITED
    name: str = "injection"
    version: str = f"3+{VERSION}"
    metrics: tuple[Metric, ...] = (PROMPT_INJECTION, DOCUMENT_INJECTION)

    def prepare(self, traces: Sequence[Trace]) -> None:
        """Counts the n-grams of all questions and contents together."""
        self.first.prepare(traces)

    def score(self, trace: Trace) -> Iterable[Score]:
        """What `Injection` says, with `prompt_injection` judged anew where it was unsure."""
        reading = reading_of(trace)
        first = [replace(s, version=self.version) for s in self.first.score(trace)]
        return [self._again(reading, trace, s) if s.metric == HEAD else s for s in first]

    def _again(self, reading: Reading, trace: Trace, score: Score) -> Score:
        first = log(max(score.value, 1e-9) / max(1.0 - score.value, 1e-9))
        if not within(self.unsure, first) or not in_english(reading.question_piece):
            return score
        logit, asked = self.second.ask(
            HEAD, first, lambda: blended(ATTACK, first, opinion(reading.question_piece).get(HEAD, first))
        )
        value = sigmoid(logit)
        by = f"encoder {VERSION}" if asked else STOOD_IN
        why = f"{score.why or 'no feature by hand'}; {by}" if value >= NOTABLE else ""
        call = trace.llm_calls[0] if trace.llm_calls else trace.root
        return score_of(self, call, PROMPT_INJECTION, value, why)
