"""`refusal`: the answer declines to help, or says that it does not know."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import re2

from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.protocol import NOTABLE, score_of
from holdfast.score.reading import Reading, reading_of
from holdfast.score.text import folded, one_pass, shortened

REFUSAL = Metric(
    name="refusal",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="over_refusal",
    description="Probability that the answer declines to help or says that it does not know (ten languages).",
    harm=1,
)

_APOLOGY = r"(?:i['’]?m |i am |we are |we['’]?re )?(?:very |so |really )?sorry|apologi[sz]e|unfortunately|regret(?:fully)?"
_CANNOT = (
    r"(?:can(?:['’]?t|not| not)|could(?:n['’]t| not)|won['’]t|will not|(?:am|are|['’]m|['’]re) (?:not able|unable"
    r"|not allowed|not permitted)|do not have the ability|don['’]t have the ability|must decline|have to decline"
    r"|refuse)"
)
_HELP = (
    r"(?:help|assist|provide|answer|support|do that|do this|comply|fulfil|generate|create|discuss|share|offer|engage"
    r"|continue|process|give|respond|complete|advise|talk about|write|access|make that|recommend|speculate|disclose"
    r"|reveal|be used)"
)
_DECLINES = (
    rf"\b(?:i|we)(?: {_CANNOT}|{_CANNOT})(?: \w+){{0,3}} {_HELP}",
    r"\b(?:i|we) (?:must|have to|need to|will have to|respectfully) (?:respectfully )?(?:decline|refuse)",
    r"\bas an? (?:ai|language model|virtual assistant)[^.]{0,60}(?:can['’]?t|cannot|not able|unable|don['’]t|do not)",
    r"\b(?:goes|is) against (?:my|our) (?:policy|policies|guidelines|programming)",
    r"\b(?:not|isn['’]t) (?:something (?:that )?)?(?:i|we) (?:can|am able to|are able to) (?:help|assist|do|provide|discuss)",
    (
        r"\bi(?:['’]m| am) (?:afraid|sorry),? (?:but )?(?:i|we|that)(?: |['’])(?:\w+['’]?\w* ){0,2}?(?:can['’]?t|cannot"
        r"|can not|unable|not able|won['’]t)"
    ),
    (
        r"\b(?:this|that|your) (?:request|question|message|content)[^.]{0,40}(?:blocked|not allowed|not permitted|violates"
        r"|against (?:our|my)|cannot be (?:processed|answered|completed)|can['’]?t be (?:processed|answered))"
    ),
    (
        r"\b(?:es tut mir leid|tut mir leid|leider|entschuldigung)[^.]{0,60}\b(?:kann|darf|können|dürfen) (?:ich"
        r"|wir)?[^.]{0,60}\b(?:nicht|kein)"
    ),
    (
        r"\b(?:ich|wir) (?:kann|können|darf|dürfen)[^.]{0,50}\bnicht (?:\w+ ){0,2}(?:helfen|beantworten|unterstützen"
        r"|weiterhelfen|anbieten|geben)"
    ),
    r"\b(?:je suis|nous sommes)? ?désolée?s?[^.]{0,60}\bne (?:peux|pouvons|suis|sommes)[^.]{0,20}\bpas",
    r"\bje ne (?:peux|suis) pas[^.]{0,40}(?:aider|répondre|fournir|mesure|autorisé|traiter)",
    r"\blo (?:siento|lamento)[^.]{0,60}\bno (?:puedo|podemos|estoy|es posible)",
    r"\bno (?:puedo|podemos) (?:\w+ ){0,2}(?:ayudar|responder|proporcionar|ofrecer|asistir)",
    r"\b(?:mi dispiace|spiacente|purtroppo)[^.]{0,60}\bnon (?:posso|possiamo|sono|è possibile)",
    r"\bnon posso (?:\w+ ){0,2}(?:aiutar|rispondere|fornire|assister)",
    r"\b(?:desculpe|lamento|sinto muito|infelizmente)[^.]{0,60}\bnão (?:posso|podemos|consigo|é possível)",
    r"\bnão (?:posso|consigo) (?:\w+ ){0,2}(?:ajudar|responder|fornecer)",
    r"\b(?:het spijt (?:me|mij|ons)|sorry|helaas)[^.]{0,60}\b(?:kan|kunnen|mag) (?:ik|we|wij)?[^.]{0,50}\b(?:niet|geen)",
    r"\bprzykro mi[^.]{0,60}\bnie mog",
    r"\b(?:tyvärr|jag kan inte hjälpa)",
    r"\b(?:maalesef|üzgünüm)[^.]{0,60}\b(?:edemem|olamam|veremem|yapamam)",
    (
        r"(?:申し訳|すみません|お答えできません|お手伝いできません|对不起|抱歉|无法(?:提供|回答|帮助)|不能(?:提供|回答|帮助)"
        r"|죄송|도와드릴 수 없|к сожалению[^.]{0,40}не могу"
        r"|я не могу (?:помочь|ответить|предоставить)|извините, но я не могу|آسف|عذراً)"
    ),
)
_UNKNOWN = (
    (
        r"\b(?:i|we) (?:do not|don['’]t|did not|didn['’]t) (?:know|have (?:(?:any|enough|sufficient|that|the|access to"
        r"|specific|relevant) )*(?:information|data|details|answer|context|knowledge|record)|find (?:any|that|this"
        r"|relevant))"
    ),
    (
        r"(?:\b(?:i|we)(?: am| are| was| were|['’](?:m|re|ve))? |(?:^|[.!?\n] ?))"
        r"(?:could not|couldn['’]t|cannot|can['’]t|unable to|was not able to|not able to) (?:find|locate|determine"
        r"|verify|confirm|retrieve|look up)"
    ),
    (
        r"\b(?:no|not enough|insufficient) (?:relevant )?(?:information|data|context|documents?|results?|records?) (?:is "
        r"|are |was |were )?(?:available|found|provided|in the|about|on|to answer)"
    ),
    (
        r"\b(?:is|are|was|were)(?: not|n['’]t) (?:mentioned|specified|provided|included|covered|stated|available|contained"
        r"|found|listed) in (?:the|my|our|these|this)"
    ),
    (
        r"\b(?:context|documents?|articles?|passages?|sources?|knowledge base|information provided|provided information)"
        r"(?: \w+){0,4} (?:do(?:es)?(?: not|n['’]t)) (?:contain|mention|include|provide|specify|cover|say|state)"
    ),
    r"\b(?:i['’]?m|i am) not (?:sure|certain|aware)\b",
    r"\b(?:ich|wir) (?:weiß|wissen|habe|haben)[^.]{0,40}\b(?:nicht|keine (?:information|daten|angaben))",
    r"\bkeine (?:informationen|angaben|daten)\b",
    r"\bje ne (?:sais|trouve|dispose)\b",
    r"\b(?:no (?:lo )?sé|no (?:tengo|encuentro|dispongo de) (?:esa |la |esta )?información|no hay información)",
    r"\b(?:non lo so|non ho (?:informazioni|trovato)|non sono disponibili)",
    r"\b(?:não sei|não (?:tenho|encontrei) (?:essa |a )?informaç)",
    r"\b(?:ik weet (?:het )?niet|geen informatie)",
    r"(?:わかりません|不知道|没有(?:相关)?信息|모르겠|не знаю|لا أعرف)",
)


class _Patterns:
    def __init__(self) -> None:
        self.declines = re2.compile("|".join(f"(?:{p})" for p in _DECLINES))
        self.unknown = re2.compile("|".join(f"(?:{p})" for p in _UNKNOWN))
        self.any = one_pass(*_DECLINES, *_UNKNOWN)


@lru_cache(maxsize=1)
def _patterns() -> _Patterns:
    return _Patterns()


@dataclass(frozen=True)
class Refusal:
    """Looks for refusals and admissions of ignorance in the first `head` and last `tail` characters of the answer."""

    head: int = 700
    tail: int = 300
    name: str = "refusal"
    version: str = "2"
    metrics: tuple[Metric, ...] = (REFUSAL,)

    def score(self, trace: Trace) -> Iterable[Score]:
        """One score per trace with an answer, or that the provider's content filter stopped."""
        reading = reading_of(trace)
        call = reading.anchor
        if "content_filter" in call.finish_reasons or "refusal" in call.finish_reasons:
            return (score_of(self, call, REFUSAL, 0.97, f"finish reason {call.finish_reasons[0]}"),)
        if not reading.answer.strip():
            return ()
        value, why = self._judged(reading)
        return (score_of(self, call, REFUSAL, value, why),)

    def probability(self, reading: Reading) -> float:
        """Probability that the answer of this reading is a refusal."""
        return self._judged(reading)[0]

    def _judged(self, reading: Reading) -> tuple[float, str]:
        return reading.answer_piece.once(f"refusal {self.head} {self.tail}", self.judge)

    def judge(self, answer: str) -> tuple[float, str]:
        """Probability that `answer` is a refusal, and the words that say so."""
        text = folded(answer[: self.head]) + "\n" + folded(answer[self.head :][-self.tail :])
        patterns = _patterns()
        # One pass for all of them: most answers are no refusal.
        if patterns.any.Match(text) is None:
            return 0.01, ""
        found, weight = patterns.declines.search(text), 0.97
        if found is None:
            found, weight = patterns.unknown.search(text), 0.85
        if found is None:
            return 0.01, ""
        # A refusal comes at once; one behind a long answer is a caveat.
        before = len(text[: found.start()].split())
        rest = len(answer.split()) - before
        value = weight * (1.0 if before <= 25 else 0.5 if before <= 60 else 0.25) * (1.0 if rest <= 80 else 0.75)
        return value, shortened(found.group()) if value >= NOTABLE else ""
