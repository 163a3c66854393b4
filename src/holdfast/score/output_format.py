"""`format_violation`: JSON was asked for, and the model wrote something else."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson
import re2

from holdfast.core.call import Call
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import reading_of
from holdfast.score.text import shortened, valid

FORMAT_VIOLATION = Metric(
    name="format_violation",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="format_violation",
    description=(
        "How badly the model's output misses the JSON or schema that was asked for: 0 parses and fits, 0.2 in a code"
        " fence, 0.7 wrapped in prose, 0.9 against the schema, 1 no JSON."
    ),
    harm=2,
)

_ASKED = re2.compile(
    r"(?i)\b(?:reply|respond|answer|output|return|responde|antworte?|réponds|give)\b[^.\n]{0,60}\bjson\b"
    r"|\b(?:extract|produce|generate|provide|write|list|classify|summari[sz]e|format|deliver|print)\b[^.\n]{0,200}"
    r"\bas (?:an? |valid )?json\b"
    r"|\bjson (?:object|format|only|schema|array)\b|\b(?:valid|only|strict) json\b"
)
_NOT_ASKED = re2.compile(r"(?i)\b(?:not|never|no|don't|without)\b[^.\n]{0,25}\bjson\b")
_FENCE = re2.compile(r"(?s)^\s*```[a-zA-Z]*\s*\n(.*?)\n?```\s*$")
MAX_SCHEMA = 50_000


@lru_cache(maxsize=64)
def _validator(schema: str) -> jsonschema_rs.Validator | None:
    """None for what is no schema: its author, not the model, made that mistake."""
    try:
        value = orjson.loads(schema)
        if isinstance(value, dict):
            value = value.get("schema", value)
            value = value.get("schema", value) if isinstance(value, dict) else value
        return jsonschema_rs.validator_for(value, offline=True, pattern_options=jsonschema_rs.RegexOptions())
    except (orjson.JSONDecodeError, ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, TypeError):
        return None


@dataclass(frozen=True)
class OutputFormat:
    """Parses the model's output where settings or system prompt ask for JSON. `fence`: value of JSON in a code fence."""

    fence: float = 0.2
    name: str = "output_format"
    version: str = "2"
    metrics: tuple[Metric, ...] = (FORMAT_VIOLATION,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score on the answering call, when JSON was asked for and there is text."""
        call = trace.answering
        if call is None:
            return ()
        reading = reading_of(trace)
        if not self._asked(call, reading.system):
            return ()
        text = valid(call.answer)
        if not text.strip():
            return ()
        value, why = self.judge(text, call.output_schema)
        return (score_of(self, call, FORMAT_VIOLATION, value, why if value >= min(NOTABLE, self.fence) else ""),)

    @staticmethod
    def _asked(call: Call, system: str) -> bool:
        if call.output_schema or "json" in call.output_type.lower():
            return True
        if "json" not in system.lower():
            return False
        return bool(_ASKED.search(system)) and not _NOT_ASKED.search(system)

    def judge(self, text: str, schema: str = "") -> tuple[float, str]:
        """How badly `text` misses JSON that follows `schema`, in [0, 1], and why."""
        penalty = 0.0
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            fenced = _FENCE.match(text)
            value, penalty = _parsed(fenced.group(1)) if fenced else None, self.fence
            if value is None:
                value, penalty = _embedded(text), 0.7
            if value is None:
                return 1.0, shortened(f"no JSON: {error}", 100)
        wrong = self._against(schema, value)
        if wrong:
            return 0.9, wrong
        return penalty, {0.0: "", 0.7: "JSON wrapped in prose"}.get(penalty, "JSON in a code fence")

    @staticmethod
    def _against(schema: str, value: Any) -> str:
        validator = _validator(schema) if schema and len(schema) <= MAX_SCHEMA else None
        if validator is None or validator.is_valid(value):
            return ""
        first = next(iter(validator.iter_errors(value)))
        return shortened(f"against the schema: {first.message}", 120)


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _embedded(text: str) -> Any:
    """The JSON between the first opening and the last closing bracket, else None."""
    for opening, closing in (("{", "}"), ("[", "]")):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end:
            value = _parsed(text[start : end + 1])
            if value is not None:
                return value
    return None
