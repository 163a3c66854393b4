"""What of an answer states something: without citation marks, greetings, offers of help and questions back."""

import re

from holdfast.score.text import sentences

MAX_EXCLAMATION = 60
"""Characters of an exclamation that is nothing but a tone of voice."""
MAX_COURTESY = 90
"""Characters of a sentence that may be nothing but a courtesy."""

_MARKS = re.compile(
    r"[\[【](?:(?:doc(?:ument)?|source|ref)?\s?#?\d{1,3}(?:\s?[,;]\s?\d{1,3}){0,5}|(?=[^\]】]*[-_.:#/\d])[\w.:#/-]{2,60})"
    r"(?:†[^\]】]{0,20})?[\]】](?!\()"
    r"|\((?:source|sources|see|ref|quelle|quellen|siehe|fuente|voir|fonte|bron)s?\s?:?\s[^()]{1,80}\)",
    re.IGNORECASE,
)
"""`[3]`, `[doc-12]`, `【4†source】`, `(Source: Returns)`; no link of Markdown."""

_NAME = r"(?:[ ,]+(?:(?i:dear|liebe[rs]?|herr|frau|mr|mrs|ms|dr|there|again|zusammen|and|welcome)\b\.?|[^\W\d_a-z][\w'’-]*)){0,3}"
_OPENER = re.compile(
    r"\s*(?:(?i:hi|hello|hey|dear|greetings|welcome|good (?:morning|afternoon|evening|day)"
    r"|hallo|guten (?:tag|morgen|abend)|liebe[rs]?|sehr geehrte[rs]?|moin|bonjour|bonsoir|salut|ch[eè]re?"
    r"|¡?hola|buenos d[ií]as|buenas tardes|buenas noches|estimad[oa]|ciao|buongiorno|buonasera|gentile"
    r"|ol[áa]|bom dia|boa tarde|caro|cara|hoi|goedendag|beste|hej|hei|cześć|witam|witaj|szanown[aiy]|dzie[nń] dobry"
    r"|dobrý den|ahoj|merhaba|здравствуйте|добрый день|привет|вітаю|добрий день)\b"
    r"|مرحب[اًا]*|أهل[اًا]*(?: بك| وسهل[اًا]*)?|السلام عليكم)"
    rf"{_NAME}\s*[,!.:،]+\s*"
)
"""A greeting, with the name of the one who is greeted, up to its sign."""

_COURTESIES = (
    r"(?:many )?thank(?:s| you)\b|sure\b|certainly\b|of course\b|absolutely\b|(?:great|good) question|no (?:problem|worries)",
    r"you(?:['’]?re| are) welcome|(?:(?:i['’]?m|i am|we['’]?re|we are) )?(?:happy|glad|here|pleased) to|(?:i )?hope\b",
    r"(?:please )?(?:let (?:me|us) know|feel free|do(?:n['’]t| not) hesitate|reach out)|(?:is there )?anything else|have a\b",
    r"safe (?:travels|trip|journey)|enjoy your|take care|good luck|(?:best|kind|warm) (?:regards|wishes)|sincerely|cheers",
    r"(?:see|talk to) you|here(?:['’]s| is) what i found|i (?:checked|looked) (?:this|that|it)\b",
    r"(?:vielen |herzlichen )?dank\b|danke\b|gerne?\b|natürlich\b|selbstverständlich\b|kann ich (?:ihnen |dir )?(?:sonst|noch)",
    r"melden sie sich|zögern sie nicht|(?:einen )?(?:schönen?|guten) (?:tag|abend|flug)|gute reise|(?:mit )?freundlichen? gr",
    r"viele grüße|ich hoffe\b|bei (?:weiteren )?fragen\b",
    r"merci\b|bien sûr|avec plaisir|n['’]hésitez|bonne (?:journée|soirée)|bon (?:voyage|vol)|cordialement|j['’]espère",
    r"(?:muchas )?gracias\b|claro\b|por supuesto|con gusto|no dud[ea]|que teng[ao]|buen (?:día|viaje|vuelo)|saludos|espero que",
    r"grazie\b|certamente|buona giornata|cordiali saluti|obrigad[oa]|com certeza|tenha um|bedankt|dank je|graag gedaan|fijne dag",
    r"dziękuj|chętnie|oczywiście|proszę (?:dać|daj) znać|miłego dnia|pozdrawiam|mam nadzieję|w razie pytań|z przyjemnością",
    r"děkuj|samozřejmě|rád[a]? pomohu|hezký den|s pozdravem",
    r"tack\b|gärna|hör av dig|ha en|med vänlig|tak\b|gerne\b|takk\b|vennlig",
    r"teşekkür|elbette|memnuniyetle|iyi günler|спасибо|конечно|рад[аы]? помочь|обращайтесь|всего доброго|с уважением|надеюсь",
    r"дякую|звичайно|гарного дня|شكر|بالتأكيد|يسعدني|يسرنا|لا تتردد|مع تحيات|أتمنى|نتمنى|على الرحب",
    r"こんにちは|お問い?合わ?せ|ご質問(?:いただき)?、?ありがとう|ありがとう|他に|お気軽に|よろしくお願い|良い",
    r"您好|你好|感谢|谢谢|还有什么|请随时|祝您|안녕하세요|감사합니다",
)
_COURTESY = re.compile(rf"(?i)^[^\w]*(?:{'|'.join(_COURTESIES)})")
"""Beginnings of thanks, wishes and offers of help."""
_QUESTION = ("?", "？", "؟", "か。")


def stated(answer: str) -> str:
    """`answer` with blanks, as many, in place of what states nothing, so that offsets stay what they are.

    That is: marks of citations, a greeting at the beginning, short sentences without a digit that thank, wish, offer help or
    ask, and a short exclamation at the beginning and at the end of what says more. JSON is left as it is.
    """
    if answer.lstrip()[:1] in ("{", "["):
        return answer
    text = _blanked(answer, _MARKS)
    opener = _OPENER.match(text)
    if opener is not None and opener.end():
        text = " " * opener.end() + text[opener.end() :]
    found = sentences(text)
    outer = {found[0], found[-1]} if len(found) > 1 else frozenset[tuple[int, int]]()
    for start, end in found:
        if _is_courtesy(text[start:end]) or ((start, end) in outer and _is_exclamation(text[start:end])):
            text = text[:start] + " " * (end - start) + text[end:]
    return text


def _blanked(text: str, pattern: re.Pattern[str]) -> str:
    if "[" not in text and "(" not in text and "【" not in text:
        return text
    return pattern.sub(lambda match: " " * len(match.group()), text)


def _is_courtesy(sentence: str) -> bool:
    if len(sentence) > MAX_COURTESY or any(c.isdigit() for c in sentence):
        return False
    return sentence.endswith(_QUESTION) or _COURTESY.match(sentence) is not None


def _is_exclamation(sentence: str) -> bool:
    return len(sentence) <= MAX_EXCLAMATION and sentence.endswith(("!", "！")) and not any(c.isdigit() for c in sentence)
