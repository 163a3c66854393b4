"""Injections with a second opinion: the encoder's, where rules and the heads over n-grams leave doubt."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import log

from msgspec.structs import replace

from holdfast.core.call import Call
from holdfast.core.score import Metric, Score
from holdfast.core.trace import Trace
from holdfast.score.injection import DOCUMENT_INJECTION, PROMPT_INJECTION, Injection, carrying, content_of, judged
from holdfast.score.language import in_english
from holdfast.score.learned import worst_stretch
from holdfast.score.opinion import VERSION, Heads, opinion, stretch_opinion
from holdfast.score.pieces import Piece
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import Reading, reading_of
from holdfast.score.reported import around_quoted
from holdfast.score.safety import ENCODER, Band, Weights, blended, within
from holdfast.score.second import UNLIMITED, SecondOpinions, by, told
from holdfast.score.text import sigmoid

PROMPT, DOCUMENT = PROMPT_INJECTION.name, DOCUMENT_INJECTION.name
ATTACK = Weights(first=0.5, second=1.0, shift=-0.9)
"""Fitted on sources that neither opinion was trained on (`training.encoder.points`); 1 % of ordinary prompts lie above 0."""
MOST_READ = 2
"""Documents of a call that are read again."""
HIDDEN = Weights(first=0.5, second=1.0, shift=0.0)
"""The same for documents."""
REPORTED = 0.05
"""What an attack counts at most that somebody else wrote and that the user only asks about."""


@dataclass(frozen=True)
class Attack:
    """Judges as `Injection` does; the encoder reads as well what lies in `unsure`, and of documents the worst stretch.

    It is shown English only.
    """

    unsure: Band = (-3.0, 4.0)
    unsure_document: Band = (-2.2, 4.0)
    first: Injection = field(default_factory=Injection)
    second: SecondOpinions = UNLIMITED
    name: str = "injection"
    version: str = f"6+{VERSION}"
    metrics: tuple[Metric, ...] = (PROMPT_INJECTION, DOCUMENT_INJECTION)

    def prepare(self, traces: Sequence[Trace]) -> None:
        """Counts the n-grams of all questions and contents together."""
        self.first.prepare(traces)

    def score(self, trace: Trace) -> Iterable[Score]:
        """What `Injection` says, judged anew where it was unsure."""
        first = [replace(s, version=self.version) for s in self.first.score(trace) if s.metric == PROMPT]
        scores = [self._asked_about(reading_of(trace), self._prompt(reading_of(trace), trace, s)) for s in first]
        return scores + [s for call in carrying(trace) if (s := self._content(call)) is not None]

    def _prompt(self, reading: Reading, trace: Trace, score: Score) -> Score:
        first, piece = _logit(score.value), reading.question_piece
        if not within(self.unsure, first) or not in_english(piece):
            return score
        value, why = self._again(PROMPT, ATTACK, first, score.why, lambda: opinion(piece))
        call = trace.llm_calls[0] if trace.llm_calls else trace.root
        return score_of(self, call, PROMPT_INJECTION, value, why)

    def _asked_about(self, reading: Reading, score: Score) -> Score:
        """The score of a message that the user got and asks about: by what the user says around it; the message counts little."""
        around = around_quoted(reading.question) if score.value >= NOTABLE else ""
        if not around:
            return score
        value = max(judged(PROMPT, Piece(around), self.first.user_weights)[0], min(score.value, REPORTED))
        return replace(score, value=min(value, score.value), why="" if value < NOTABLE else score.why)

    def _content(self, call: Call) -> Score | None:
        """The worst of what a call brought in. Of the unsure ones the `MOST_READ` worst are read again, the rest stands."""
        told = sorted(((*self.first.document(piece), piece) for piece in content_of(call)), key=lambda t: t[0], reverse=True)
        unsure = [n for n, (value, _, piece) in enumerate(told) if self._doubtful(value, piece)][:MOST_READ]
        judged = [self._document(*t) if n in unsure else t[:2] for n, t in enumerate(told)]
        return score_of(self, call, DOCUMENT_INJECTION, *max(judged)) if judged else None

    def _doubtful(self, value: float, piece: Piece) -> bool:
        return within(self.unsure_document, _logit(value)) and in_english(piece)

    def _document(self, value: float, why: str, piece: Piece) -> tuple[float, str]:
        return self._again(DOCUMENT, HIDDEN, _logit(value), why, lambda: worst_opinion(piece))

    def _again(self, head: str, weights: Weights, first: float, why: str, read: Callable[[], Heads]) -> tuple[float, str]:
        logit, asked = self.second.ask(head, first, lambda: blended(weights, first, read().get(head, first)))
        value = sigmoid(logit)
        return value, told(value, f"{why or 'no feature by hand'}; {by(asked, ENCODER)}")


def worst_opinion(piece: Piece) -> Heads:
    """What every head of the encoder says of the worst stretch of a document. Kept with the piece: documents come back."""
    return piece.once("encoder, worst stretch", lambda _: stretch_opinion(worst_stretch(DOCUMENT, piece)))


def _logit(value: float) -> float:
    return log(max(value, 1e-9) / max(1.0 - value, 1e-9))
