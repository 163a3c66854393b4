"""`tool_contradiction`: the answer says otherwise than the tools, or passes over that they failed."""

from collections.abc import Iterable
from dataclasses import dataclass

import re2

from holdfast.core.score import Direction, Family, Metric, Score, Span, Unit
from holdfast.core.trace import Trace
from holdfast.score.facts import agrees, numbers
from holdfast.score.pieces import known_numbers, piece_of
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import Reading, reading_of
from holdfast.score.text import capped, listed, words
from holdfast.score.tools import tool_failure

CONTRADICTION = Metric(
    name="tool_contradiction",
    family=Family.RETRIEVAL,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="ignored_tool_result",
    description=(
        "Probability that the answer contradicts what the tools gave back (numbers, status words), or asserts something"
        " although they failed."
    ),
    harm=2,
)

_STATES = (
    listed("cancelled canceled cancel storniert annulé cancelado annullato"),
    listed("delivered arrived zugestellt geliefert livré entregado consegnato"),
    listed("shipped dispatched transit versandt expédié enviado spedito"),
    listed("pending processing queued waiting ausstehend pendiente"),
    listed("refunded reimbursed erstattet remboursé reembolsado"),
    listed("declined rejected denied refused abgelehnt refusé rechazado"),
    listed("""
    approved accepted confirmed genehmigt bestätigt approuvé confirmé aprobado confirmado
"""),
    listed("failed unsuccessful fehlgeschlagen échoué fallido"),
    listed("available active open enabled verfügbar aktiv disponible actif activo"),
    listed("""
    unavailable inactive closed disabled expired blocked suspended nicht_verfügbar gesperrt inactif suspendu
"""),
)
_ADMITS = re2.compile(
    r"(?i)sorry|apolog|unable|could ?n['o]t|can(?:no|')t|error|problem|issue|failed|fail to|try again|not available"
    r"|unavailable|trouble|unfortunately|leider|nicht (?:möglich|verfügbar|abruf)|fehler|désolé|impossible|erreur|malheureusement"
    r"|indisponible|lo siento|lament|no (?:puedo|pude|fue posible|disponible)|purtroppo|errore|spiace|non (?:riesco|disponibil)"
    r"|infelizmente|desculp|indispon|helaas|storing|niestety|przepraszam|błąd|nie udało|niedostępn|bohužel|chyba|tyvärr|beklag"
    r"|desværre|dessverre|maalesef|üzgün|hata|к сожалению|ошибк|не удалось|извин|недоступ|на жаль|помилк|عذر|آسف|خطأ|تعذر|للأسف"
    r"|غير متاح|申し訳|エラー|でき(?:ません|ませんでした)|抱歉|对不起|错误|失败|无法|죄송|오류|실패"
)


@dataclass(frozen=True)
class ToolContradiction:
    """Compares numbers and states of the answer with those of the tool results of the same request."""

    name: str = "tool_contradiction"
    version: str = "3"
    metrics: tuple[Metric, ...] = (CONTRADICTION,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace with an answer and a tool call."""
        reading = reading_of(trace)
        if not reading.answer or not (reading.tool_calls or reading.tool_results):
            return ()
        value, why, spans = self._judge(reading)
        return (score_of(self, reading.anchor, CONTRADICTION, value, why if value >= NOTABLE else "", spans),)

    def _judge(self, reading: Reading) -> tuple[float, str, tuple[Span, ...]]:
        failed = [c for c in reading.tool_calls if tool_failure(c)[0] >= 0.8]
        told = numbers(reading.stated.text)
        known = self._known(reading) if told else frozenset()
        invented = [n for n in told if not agrees(n[0], known)]
        spans = tuple(Span("answer", start, end, "not in any tool result") for _, start, end in invented[:10])
        if failed and len(failed) == len(reading.tool_calls):
            if _ADMITS.search(reading.answer):
                return 0.05, "", ()
            value = 0.8 if invented else 0.45
            return value, f"{failed[0].tool_name[:40]} failed, the answer does not say so", spans
        state = self._state_conflict(reading)
        if state:
            return 0.75, state, spans
        from_tools = any(numbers(r[:4000]) for r in reading.tool_results)
        if invented and from_tools:
            return 0.3 + 0.5 * len(invented) / len(told), f"{len(invented)} of {len(told)} numbers are in no tool result", spans
        return 0.02, "", ()

    @staticmethod
    def _known(reading: Reading) -> frozenset[str]:
        pieces = (*reading.evidence, *reading.background, *(piece_of(capped(c.tool_arguments)) for c in reading.tool_calls))
        return frozenset().union(*(known_numbers(piece) for piece in pieces))

    @staticmethod
    def _state_conflict(reading: Reading) -> str:
        results = frozenset(w for r in reading.tool_results for w in words(r[:4000]))
        said = reading.answer_content - reading.question_content
        for state in _STATES:
            mine = said & state
            if mine and not results & state and any(results & other for other in _STATES if other is not state):
                # The tools report a state, the answer another one.
                theirs = next(iter(sorted(w for other in _STATES for w in results & other)))
                return f"the answer says {min(mine)}, a tool says {theirs}"
        return ""
