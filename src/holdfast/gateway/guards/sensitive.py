"""Personal data and secrets: found by the rules of the context layer, taken out of an answer as typed placeholders."""

from dataclasses import dataclass

from holdfast.context.entities import Entity
from holdfast.context.find import find
from holdfast.gateway.guards.protocol import Judge, Judgement, Parameters, Seen, parameter
from holdfast.score.sensitive import SensitiveData
from holdfast.score.sensitive_values import PUBLIC, Sensitive, weight


@dataclass(frozen=True)
class SensitiveJudge:
    """`metric` of the scorer. `keep`: entities that the application may show."""

    metric: str
    keep: frozenset[str]

    def judge(self, seen: Seen) -> Judgement | None:
        """The scorer's opinion, unless all that there is may be shown."""
        if self.keep and seen.said is not None and not self._spans(seen.said.text):
            return Judgement(0.0)
        for score in seen.scores(SensitiveData()):
            if score.metric == self.metric:
                return Judgement(score.value, score.why)
        return None

    def _spans(self, text: str) -> list[tuple[int, int, Entity]]:
        return [
            (f.start, f.end, f.entity)
            for f in find(text)
            if f.entity.value not in self.keep and weight(Sensitive(f.entity, text[f.start : f.end])) > PUBLIC
        ]

    def redact(self, text: str) -> str:
        """Every value replaced by the name of its kind, such as ``<IBAN_CODE>``."""
        for start, end, entity in reversed(self._spans(text)):
            text = f"{text[:start]}<{entity.value}>{text[end:]}"
        return text


def sensitive_output(parameters: Parameters) -> Judge:
    """Values in the answer that its reader did not have. The parameter `keep` lists entities that may be shown."""
    return SensitiveJudge("sensitive_output", _kept(parameters))


def secrets_in_prompt(parameters: Parameters) -> Judge:
    """Keys and passwords on their way to a model."""
    return SensitiveJudge("secrets_in_prompt", frozenset())


def _kept(parameters: Parameters) -> frozenset[str]:
    names = frozenset(parameter(parameters, "keep", tuple[str, ...]))
    unknown = names - {entity.value for entity in Entity}
    if unknown:
        raise ValueError(f"keep: no such entity: {', '.join(sorted(unknown))}")
    return names
