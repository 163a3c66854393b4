"""Messages that somebody got and asks about: what they say is quoted, not meant."""

import re

LEAST = 12
"""Characters of a quotation that may be a message; less is a word."""
MOST_READ = 4000
MOST_AROUND = 400
"""Characters around it. Who writes more than that says things of their own."""

_QUOTED = re.compile(
    rf"(?:(?<=^)|(?<=[\s:(]))'[^'\n](?:[^'\n]|'(?=\w)){{{LEAST},1500}}'(?!\w)"
    rf'|"[^"]{{{LEAST},1500}}"|“[^”]{{{LEAST},1500}}”|„[^“”]{{{LEAST},1500}}[“”]|«[^»]{{{LEAST},1500}}»|‘[^’]{{{LEAST},1500}}’(?!\w)'
    rf"|「[^」]{{{LEAST},1500}}」|(?:^>[^\n]{{0,300}}(?:\n|$)){{1,20}}",
    re.MULTILINE,
)
_DOUBTS = (
    r"(?:is|are|was) (?:this|that|it|they|these)\b.{0,40}\b(?:true|real|legit|genuine|safe|from you|yours|scam|fraud|fake)",
    r"\b(?:true|real|legit|genuine|fake|scam|fraud|phishing|spam|hoax) ?\?",
    r"\b(?:should|can|do|could) (?:i|we) (?:really )?(?:trust|believe)",
    r"\bor (?:is it )?(?:a )?(?:scam|fraud|fake|phishing|spam)\b|\bis (?:it|this|that) (?:a )?(?:scam|fraud|phishing|spam|trick)",
    r"\b(?:echt|wahr|seriös|betrug|gefälscht) ?\?|\bist das (?:echt|wahr|von ihnen|betrug|seriös)",
    r"\b(?:vrai|fiable|arnaque|une fraude) ?\?|est-ce (?:vrai|une arnaque|de vous)",
    r"\b(?:verdad|cierto|real|estafa|fraude|verdadero|golpe|verdade) ?\?|\b(?:vero|truffa|affidabile) ?\?",
    r"\b(?:ni kweli|kweli|ukweli|utapeli) ?\?|(?:सच|असली|धोखा|ठगी|फ्रॉड)[^?।]{0,20}[?।]",
    r"本当(?:です)?か|詐欺|правда(?: ли)?|мошенни|развод ?\?",
)
_DOUBT = re.compile("|".join(_DOUBTS), re.IGNORECASE)


def around_quoted(text: str) -> str:
    """What somebody says around a message that they got, where they ask whether it can be trusted; empty where they do not.

    Such as ``someone texts … should I trust?`` The words of the message are left out.
    """
    if len(text) > MOST_READ or not any(mark in text for mark in "'\"“„«‘「>"):
        return ""
    rest, quotations = _QUOTED.subn(" … ", text)
    if not quotations or len(rest) > MOST_AROUND or _DOUBT.search(rest) is None:
        return ""
    return " ".join(rest.split())
