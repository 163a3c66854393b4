"""`ungrounded_answer` with a second opinion: word by word from the encoder where counting words and numbers leaves doubt."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import log

from msgspec.structs import replace

from holdfast.core.score import Metric, Score, Span
from holdfast.core.trace import Trace
from holdfast.models.encoder import VERSION, encoder
from holdfast.score.groundedness import ENTITIES, NUMBERS, UNGROUNDED, Groundedness
from holdfast.score.language import in_english
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import Reading, reading_of
from holdfast.score.safety import Band
from holdfast.score.second import STOOD_IN, UNLIMITED, SecondOpinions, told
from holdfast.score.support import Sources, doubts, marked, parts, worst
from holdfast.score.text import sigmoid

MAX_SPANS = 10
WEIGHTS = {"shift": -1.3, "first": 0.25, "worst": 0.5}
"""Log-odds = shift + first · log-odds of the first opinion + worst · the most doubtful part.

Logistic regression on four sources that the encoder was not trained on; the shift is lower by log 4, so that 0.2 stays the point
at which errors balance, as it is for the first opinion: answers of real applications are seldom as wrong as those of test sets.
"""


@dataclass(frozen=True)
class Grounding:
    """Counts first; English answers whose log-odds lie in `unsure` are read by the encoder beside their sources."""

    unsure: Band = (0.3, 2.5)
    first: Groundedness = field(default_factory=Groundedness)
    second: SecondOpinions = UNLIMITED
    name: str = "groundedness"
    version: str = f"5+{VERSION}"
    metrics: tuple[Metric, ...] = (UNGROUNDED, NUMBERS, ENTITIES)

    def score(self, trace: Trace) -> Iterable[Score]:
        """What counting says, with `ungrounded_answer` judged anew where it was unsure."""
        reading = reading_of(trace)
        first = [replace(s, version=self.version) for s in self.first.score(trace)]
        return [self._again(reading, s) if s.metric == UNGROUNDED.name else s for s in first]

    def _again(self, reading: Reading, score: Score) -> Score:
        logit = log(max(score.value, 1e-9) / max(1.0 - score.value, 1e-9))
        if not self.unsure[0] <= logit <= self.unsure[1] or not in_english(reading.answer_piece):
            return score
        spans: list[tuple[int, int]] = []

        def work() -> float:
            worst_part, found = doubted(reading)
            spans.extend(found)
            return WEIGHTS["shift"] + WEIGHTS["first"] * logit + WEIGHTS["worst"] * worst_part

        said, asked = self.second.ask(UNGROUNDED.name, logit, work)
        value = sigmoid(said)
        why = told(value, score.why if asked else "; ".join(filter(None, (score.why, STOOD_IN))))
        if value < NOTABLE:
            return score_of(self, reading.anchor, UNGROUNDED, value, why)
        marks = tuple(Span("answer", start, end, f"not in the sources (encoder {VERSION})") for start, end in spans)
        return score_of(self, reading.anchor, UNGROUNDED, value, why, (marks or score.spans)[:MAX_SPANS])


def doubted(reading: Reading) -> tuple[float, list[tuple[int, int]]]:
    """How unsupported the worst part of the answer is, as log-odds, and the stretches that are doubted."""
    sources = Sources(piece.text for piece in reading.evidence)
    cut = parts(sources, reading.stated.text)
    judged = doubts(encoder(), sources, cut)
    spans = [span for part, (read, said) in zip(cut, judged, strict=True) for span in marked(part, read, said)]
    return max((worst(read, said) for read, said in judged), default=-10.0), spans
