"""`truncation`: the answer stops before its end."""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import reading_of
from holdfast.score.text import listed

TRUNCATION = Metric(
    name="truncation",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="truncated_answer",
    description="Probability that the answer stops before its end: the finish reason says so, or the text does.",
    harm=1,
)

CUT_REASONS = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "incomplete", "token_limit"})
ENDINGS = frozenset(".!?…:;\"'”’»)]}>*`|~。！？；：」』）】।؟۔")
OPEN_WORDS = listed("""
    a an the and or of to in with for on is are was were be by from that which your our their its der die das und oder
    mit von ein eine zu le la les et ou de du des un une el los las y o con il lo gli e di
""")
MIN_WORDS = 8


@dataclass(frozen=True)
class Truncation:
    """Reads finish reasons, the last character and unbalanced brackets. `min_words`: shorter texts need no full stop."""

    min_words: int = MIN_WORDS
    name: str = "truncation"
    version: str = "1"
    metrics: tuple[Metric, ...] = (TRUNCATION,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace with an answer, or whose answering call was cut by the token limit."""
        reading = reading_of(trace)
        call = reading.anchor
        if any(reason.lower() in CUT_REASONS for reason in call.finish_reasons):
            return (score_of(self, call, TRUNCATION, 0.97, f"finish reason {call.finish_reasons[0]}"),)
        text = trace.delivered_answer
        if not text.strip():
            return ()
        value, why = self._by_text(reading.answer if len(text) <= len(reading.answer) else text[-200:])
        return (score_of(self, call, TRUNCATION, value, why if value >= NOTABLE else ""),)

    def _by_text(self, text: str) -> tuple[float, str]:
        text = text.rstrip()
        if text[0] in "{[" and text[-1] not in "}]" and '"' in text:
            return 0.85, "JSON without its end"
        if text.count("```") % 2:
            return 0.8, "a code block without its end"
        if text[-1] in ENDINGS or ord(text[-1]) > 0x2190:
            return (0.3, "an open bracket") if text.count("(") > text.count(")") + 1 else (0.01, "")
        return self._by_last_line(text)

    def _by_last_line(self, text: str) -> tuple[float, str]:
        last = text.rpartition("\n")[2].split()
        if not last or len(text.split(None, self.min_words)) < self.min_words:
            return 0.02, ""
        if text[-1] in ",-–(" or last[-1].lower() in OPEN_WORDS:
            return 0.9, f"ends with {last[-1]!r}"
        if len(last) < self.min_words and "\n" in text:
            return 0.05, ""
        # A text that ends its other sentences with a stop does not forget the last one.
        stops = text.count(". ") + text.count(".\n") + text.count("! ") + text.count("? ")
        return (0.7, f"ends in mid-sentence with {last[-1][:30]!r}") if stops else (0.3, "no full stop at the end")
