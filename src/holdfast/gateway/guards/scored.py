"""Guards that are inline scorers: the same code that judges telemetry, on a trace of one call."""

from dataclasses import dataclass

import msgspec

from holdfast.gateway.guards.protocol import Judge, Judgement, Parameters, Seen, parameter
from holdfast.score.groundedness import Groundedness
from holdfast.score.injection import Injection
from holdfast.score.leak import Leak
from holdfast.score.output_format import OutputFormat
from holdfast.score.policy import DEFAULT_RULES, Policy
from holdfast.score.protocol import Scorer
from holdfast.score.toxicity import Toxicity
from holdfast.score.unsafe import Unsafe


@dataclass(frozen=True)
class ScorerJudge:
    """The worst of the scorer's scores of these metrics."""

    scorer: Scorer
    metrics: frozenset[str]

    def judge(self, seen: Seen) -> Judgement | None:
        """None where the scorer has nothing to say."""
        worst = None
        for score in seen.scores(self.scorer):
            if score.metric in self.metrics and (worst is None or score.value > worst.value):
                worst = score
        return None if worst is None else Judgement(min(worst.value, 1.0), worst.why)


def injection(parameters: Parameters) -> Judge:
    """The user's words and tool results that try to take over."""
    return ScorerJudge(Injection(), frozenset({"prompt_injection", "document_injection"}))


def unsafe_request(parameters: Parameters) -> Judge:
    """A request for help with harm."""
    return ScorerJudge(Unsafe(), frozenset({"unsafe_request"}))


def unsafe_output(parameters: Parameters) -> Judge:
    """A harmful answer."""
    return ScorerJudge(Unsafe(), frozenset({"unsafe_output"}))


def toxicity(parameters: Parameters) -> Judge:
    """Insults and threats in the answer."""
    return ScorerJudge(Toxicity(), frozenset({"toxicity"}))


class PolicyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule of the application's own: RE2 pattern over lower-case text, weight in (0, 1]."""

    name: str
    pattern: str
    weight: float = 0.9


def policy(parameters: Parameters) -> Judge:
    """What no application may say, and the parameter `rules`."""
    own = msgspec.convert(parameters.get("rules", ()), type=tuple[PolicyRule, ...])
    rules = (*DEFAULT_RULES, *((rule.name, rule.pattern, rule.weight) for rule in own))
    return ScorerJudge(Policy(rules=rules), frozenset({"policy_violation"}))


def leak(parameters: Parameters) -> Judge:
    """Canaries of the system prompt and of the parameter `canaries`, in any disguise."""
    return ScorerJudge(Leak(canaries=parameter(parameters, "canaries", tuple[str, ...])), frozenset({"canary_leak"}))


def prompt_leak(parameters: Parameters) -> Judge:
    """An answer that recites the system prompt."""
    return ScorerJudge(Leak(), frozenset({"system_prompt_leak"}))


def groundedness(parameters: Parameters) -> Judge:
    """An answer that says what the documents and tool results in the request do not. Without any there is nothing to judge."""
    return ScorerJudge(Groundedness(), frozenset({"ungrounded_answer"}))


def schema(parameters: Parameters) -> Judge:
    """An answer that is not the JSON that the request asked for."""
    return ScorerJudge(OutputFormat(), frozenset({"format_violation"}))
