"""Evaluations, user feedback and guardrail verdicts, in the words of many tools."""

from typing import Any

from holdfast.core.call import Evaluation, Guardrail
from holdfast.core.errors import InputError
from holdfast.ingest.otlp.convert import real, structured, text
from holdfast.ingest.otlp.flattened import at, elements

USER_FEEDBACK = "user_feedback"
"""The name that all feedback of users gets."""

_FEEDBACK_NAMES = frozenset(
    {
        *("user_feedback", "feedback", "human_feedback", "end_user_feedback", "thumbs_feedback", "user_satisfaction"),
        *("thumbs", "thumb", "thumbs_up", "thumbs_down", "user_thumbs", "like", "dislike", "user_rating", "user_score"),
    }
)
_GOOD = frozenset({"up", "thumbs_up", "thumbsup", "positive", "good", "like", "liked", "helpful", "👍", "+1", "yes"})
_BAD = frozenset(
    {"down", "thumbs_down", "thumbsdown", "negative", "bad", "dislike", "disliked", "unhelpful", "not_helpful", "👎", "no"}
)

_VERDICTS: dict[str, tuple[str, ...]] = {
    "allow": (
        *("allow", "allowed", "pass", "passed", "accept", "accepted", "approved", "ok", "okay", "success", "clean", "compliant"),
        *("safe", "true", "none", "valid", "not_flagged", "no_issue"),
    ),
    "deny": (
        *("deny", "denied", "block", "blocked", "reject", "rejected", "refuse", "refused", "fail", "failed", "filtered", "false"),
        *(
            "unsafe",
            "flag",
            "flagged",
            "violation",
            "violated",
            "invalid",
            "noncompliant",
            "non_compliant",
            "tripped",
            "triggered",
        ),
        *("tripwire_triggered", "intervened", "guardrail_intervened"),
    ),
    "modify": (
        *("modify", "modified", "redact", "redacted", "mask", "masked", "anonymize", "anonymized", "sanitize", "sanitized"),
        *("rewrite", "rewritten", "replaced", "fix", "fixed"),
    ),
    "warn": ("warn", "warning", "warned", "suspicious"),
    "escalate": ("escalate", "escalated", "review", "human_review", "needs_review"),
    "error": ("error", "errored", "exception", "timeout", "timed_out", "unavailable", "failure"),
}
_VERDICT_OF = {word: verdict for verdict, words in _VERDICTS.items() for word in words}
_GOOD_FLAGS = (
    "passed",
    "pass",
    "allowed",
    "valid",
    "is_valid",
    "safe",
    "is_safe",
    "success",
    "ok",
    "compliant",
    "validation_passed",
)
_BAD_FLAGS = (
    "blocked",
    "flagged",
    "tripwire_triggered",
    "triggered",
    "violation",
    "violated",
    "unsafe",
    "denied",
    "failed",
    "detected",
)
_MAX_NESTING = 8
_VERDICT_KEYS = ("verdict", "decision", "outcome", "action", "result", "status", "label")


def normal_word(value: Any) -> str:
    """A word in lower case with underscores."""
    return str(value).strip().lower().replace("-", "_").replace(" ", "_").replace(".", "_")


def evaluation_name(name: str) -> str:
    """`name`, or `user_feedback` where it is one of the names that feedback goes by."""
    return USER_FEEDBACK if normal_word(name) in _FEEDBACK_NAMES else name


def evaluation(name: Any, score: Any, label: Any = None, explanation: Any = None, annotator: Any = None) -> Evaluation:
    """One evaluation.

    Raises:
        InputError: it has no name, neither score nor label, or a score that is no finite number.
    """
    if not isinstance(name, str) or not name:
        raise InputError("evaluation has no name")
    value = real(score)
    if value is None and score is not None:
        raise InputError(f"score of evaluation {name!r:.60} is not a finite number")
    said = text(label) or ""
    if value is None and not said and not explanation:
        raise InputError(f"evaluation {name!r:.60} has neither score nor label")
    normal = evaluation_name(name)
    if normal == USER_FEEDBACK:
        value = _thumb(said) if value is None else 1 - value if normal_word(name) in _BAD and value in (0, 1) else value
    return Evaluation(normal, value, said, text(explanation) or "", text(annotator) or "")


def _thumb(label: str) -> float | None:
    word = normal_word(label)
    return 1.0 if word in _GOOD else 0.0 if word in _BAD else None


def evaluations(tree: Any, level: str) -> tuple[list[Evaluation], list[str]]:
    """(good ones, what is wrong with the others) of `N.<level>.{name,score,label,…}`, as OpenInference flattens them."""
    good: list[Evaluation] = []
    wrong: list[str] = []
    for entry in elements(tree):
        entry = entry.get(level, entry) if isinstance(entry, dict) else entry
        if not isinstance(entry, dict):
            continue
        try:
            good.append(
                evaluation(
                    entry.get("name"),
                    entry.get("score"),
                    entry.get("label"),
                    entry.get("explanation"),
                    entry.get("annotator_kind") or entry.get("identifier"),
                )
            )
        except InputError as error:
            wrong.append(error.message)
    return good, wrong


def genai_evaluation(attributes: dict[str, Any]) -> Evaluation:
    """The evaluation in `gen_ai.evaluation.*` attributes.

    Raises:
        InputError: as `evaluation`.
    """
    score = attributes.get("gen_ai.evaluation.score.value", attributes.get("gen_ai.evaluation.score"))
    return evaluation(
        attributes.get("gen_ai.evaluation.name"),
        score,
        attributes.get("gen_ai.evaluation.score.label", attributes.get("gen_ai.evaluation.label"))
        or attributes.get("error.type"),
        attributes.get("gen_ai.evaluation.explanation"),
        attributes.get("gen_ai.evaluation.annotator") or attributes.get("gen_ai.evaluation.evaluator"),
    )


def feedback(value: Any) -> Evaluation | None:
    """User feedback: a number, a thumb in words, or an object with score, rating, label or comment.

    Raises:
        InputError: a number that is not finite.
    """
    parsed = structured(value)
    if isinstance(parsed, dict):
        score = next((parsed[k] for k in ("score", "rating", "value") if parsed.get(k) is not None), None)
        label = next((parsed[k] for k in ("label", "thumb", "thumbs", "feedback", "sentiment") if parsed.get(k)), None)
        if score is not None and real(score) is None:
            score, label = None, label or score
        return evaluation(USER_FEEDBACK, score, label, parsed.get("comment") or parsed.get("reason"))
    if isinstance(value, bool):
        return evaluation(USER_FEEDBACK, float(value))
    if isinstance(value, float | int):
        return evaluation(USER_FEEDBACK, value)
    if not isinstance(value, str) or not value:
        return None
    number = real(value)
    word = normal_word(value)
    if number is not None:
        return evaluation(USER_FEEDBACK, number)
    known = word in _GOOD or word in _BAD
    return evaluation(USER_FEEDBACK, None, value if known else None, None if known else value)


def verdict(value: Any) -> str | None:
    """allow, deny, modify, warn, escalate or error, of a word, a boolean (true: it passed), or an object that holds either."""
    if isinstance(value, bool):
        return "allow" if value else "deny"
    parsed = structured(value)
    if isinstance(parsed, dict):
        return _verdict_of_object(parsed)
    return _VERDICT_OF.get(normal_word(value).strip('"')) if isinstance(value, str) else None


def _verdict_of_object(parsed: dict[str, Any], level: int = 0) -> str | None:
    for key in _VERDICT_KEYS:
        inner = parsed.get(key)
        found = verdict(inner) if isinstance(inner, str | bool) else None
        if found:
            return found
    for key in _BAD_FLAGS:
        if isinstance(parsed.get(key), bool):
            return "deny" if parsed[key] else "allow"
    for key in _GOOD_FLAGS:
        if isinstance(parsed.get(key), bool):
            return "allow" if parsed[key] else "deny"
    inner = next((parsed[k] for k in ("output", "outputs", "data", "guardrail") if isinstance(parsed.get(k), dict)), None)
    return _verdict_of_object(inner, level + 1) if inner and level < _MAX_NESTING else None


def guardrail(found: dict[str, Any], name: str) -> Guardrail | None:
    """The verdict in `guardrail.*` attributes, already split from their prefix; None where there is none."""
    said = next((v for k in ("verdict", "decision", "outcome", "result") if (v := verdict(found.get(k)))), None)
    if said is None and isinstance(found.get("triggered"), bool):
        said = "deny" if found["triggered"] else "allow"
    if said is None:
        return None
    action = text(found.get("action") or found.get("enforced_action")) or ""
    score = real(found.get("score", at(found, "risk", "score")))
    return Guardrail(text(found.get("name")) or name, said, action, score)


def guardrail_of_step(name: str, before: str, after: Any, written: str, failed: bool) -> Guardrail | None:
    """The verdict of a guardrail that is a step of its own: of its output, else by what it did to the text.

    A step that gives its input back allows it; another text is a modification; nothing at all is a denial.
    `after` is the output as it came, `written` the text in it.
    """
    if failed:
        return Guardrail(name, "error")
    said = verdict(after)
    if said is not None:
        parsed = structured(after)
        score = (
            next((n for k in ("score", "confidence", "risk_score") if (n := real(parsed.get(k))) is not None), None)
            if isinstance(parsed, dict)
            else None
        )
        action = text(parsed.get("action")) if isinstance(parsed, dict) else None
        return Guardrail(name, said, action or "", score)
    if not before:
        return None
    if not written:
        return Guardrail(name, "deny")
    return Guardrail(name, "allow" if written.strip() == before.strip() else "modify")
