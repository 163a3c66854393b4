"""Hand-made features of prompt injection: what it says to the model, and how it is dressed up."""

import base64
import binascii
import re
from collections.abc import Callable
from functools import lru_cache

import re2

from holdfast.score.text import folded, invisible_count, one_pass

_RULES = (
    r"(?:instruction|rule|prompt|direction|guideline|command|order|restriction|polic(?:y|ie)|constraint|programming"
    r"|directive|training|filter|safeguard|limitation|anweisung|regel|vorgabe|instrucci[oó]n|regla|consigne|r[eè]gle"
    r"|istruzion|regol|instru[cç][aã]?[oõ]|regra|instructie|инструкц|правил|указани|指示|指令|规则|命令)"
)
_BEFORE = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|existing|original|initial|system|all|any|every|other|your"
    r"|former|past|vorherig|bisherig|obig|vorangegangen|alle|pr[eé]c[eé]dent|ant[eé]rieur|anterior|previ[ao]s"
    r"|precedent|eerdere|vorige|предыдущ|все|以前|之前|上記|上面)"
)
_GAP = r"(?:\W+\w+){0,4}?\W+"

RULES: dict[str, tuple[str, ...]] = {
    "override": (
        (
            rf"\b(?:ignor|disregard|forget|oubli|olvid|dimentica|esque[cç]|negeer|vergeet|забудь|игнорируй)[^.!?\n]{{0,40}}{_RULES}"
            rf"[^.!?\n]{{0,6}}\s{_BEFORE}"
        ),
        (
            rf"\b(?:ignor\w*|disregard\w*|forget|overrid\w*|bypass|discard|dismiss|neglect|vergiss|ignorier\w*|missachte\w*"
            rf"|oubli\w*|olvid\w*|dimentica\w*|esque[cç]\w*|negeer|vergeet|zapomnij|забудь\w*"
            rf"|игнорируй\w*){_GAP}?{_BEFORE}\w*{_GAP}?{_RULES}"
        ),
        (
            r"\b(?:ignore|disregard|forget) (?:everything|all (?:of )?(?:that|this|the above|what)|what (?:you|i|we)|the above"
            r"|(?:all )?(?:previous|prior) (?:text|content|messages?|conversation|context))"
        ),
        r"\b(?:do not|don't|never) (?:follow|obey|listen to|adhere to)(?: \w+){0,4} (?:instruction|rule|guideline|polic|prompt)",
        (
            r"\b(?:new|updated|real|actual) (?:system )?(?:instructions?|prompt|directives?|task|objective)\b ?(?:are|is|:"
            r"|below|follow)"
        ),
        (
            r"\b(?:instead|rather),? (?:you (?:must|should|will|are)|(?:just |only )?(?:say|print|write|output|reply|respond"
            r"|answer|tell|do))\b"
        ),
        r"(?:忽略|无视|忘记|無視|忘れ|이전 지시|무시하)",
        r"\b(?:end of|stop) (?:the )?(?:system )?(?:prompt|instructions?|document|context|user (?:input|query))\b",
        r"\boverrid(?:e|ing) (?:the |your |all )?(?:\w+ )?(?:safety|security|content (?:filter|polic)|system prompt|protocols?)",
    ),
    "extraction": (
        (
            r"\b(?:reveal|show|print|repeat|output|display|tell|give|write|share|leak|expose|return|recite|copy|summari[sz]e"
            r"|translate|dump|disclose|echo|list)(?:\W+\w+){0,6}?\W+(?:system|initial|hidden|original|secret|internal|developer"
            r"|preceding|starting)(?: \w+){0,2} (?:prompts?|instructions?|rules|guidelines|directives?|configuration|message"
            r"|context window|password)\b"
        ),
        (
            r"\b(?:reveal|print|repeat|output|leak|expose|recite|dump|disclose|echo)(?:\W+\w+){0,6}?\W+(?:your|full|first)"
            r"(?: \w+){0,2} (?:prompts?|instructions?|rules|guidelines|directives?|message)\b"
        ),
        (
            r"\b(?:what|which) (?:is|are|was|were) your (?:exact |full |system |initial |original |hidden |secret |internal "
            r"|first )*(?:prompt|instructions|system message|directives?)\b"
        ),
        (
            r"\b(?:what|which) (?:is|are|was|were) (?:your|the) (?:exact |full |system |initial |original |hidden |secret "
            r"|internal |first )+(?:prompt|instructions|rules|system message|directives?)\b"
        ),
        (
            r"\b(?:repeat|print|output|write|copy|tell me|say|show|give)(?: me)? (?:all |every |each |everything |the "
            r"|of )*(?:words?|text|content|lines?|sentences?|everything|messages?)?(?: of the text)? ?(?:above|before this"
            r"|preceding|prior to|you were (?:told|given)|in your (?:prompt|context))"
        ),
        (
            r"\b(?:zeige?|nenne|gib|verrate|wiederhole)(?: \w+){0,4} (?:system-?prompt|systemnachricht|(?:deine?n?|ihre?n?)"
            r" (?:system)?anweisungen)"
        ),
        (
            r"\b(?:montre|affiche|r[ée]v[èe]le|r[ée]p[èe]te|muestra|revela|repite|mostra|rivela|ripeti|toon|herhaal)[^.\n]{0,30}"
            r"(?:\bprompt\b|\b(?:tes|vos|tus|tue|suas|tuas|jouw) (?:instru|istruz)"
            r"|(?:instru|istruz)[^.\n]{0,12} (?:d[eu]l? )?s[iy]st)"
        ),
        (
            r"\bin (?:a |the )?code ?block\b(?:\W+\w+){0,6}\W+(?:instruction|prompt)|(?:系统提示|システムプロンプト|提示词"
            r"|시스템 프롬프트|системн\w+ промпт)"
        ),
        (
            r"\bsystem ?prompts?\b|\bmy instructions (?:are|say)\b|\bi was instructed to\b|\b(?:were|are)"
            r" you (?:been )?(?:instructed|not supposed|not allowed|programmed|forbidden)\b"
            r"|\bwere you told (?:before|at the|to)\b"
            r"|\binitiali[sz]ation (?:string|prompt|message)\b"
        ),
    ),
    "persona": (
        (
            r"\b(?:you are|you're|you will be|you shall be|you) (?:now|henceforth|going to (?:be|act|pretend|play|roleplay))\b"
            r"|\bpretend (?:to be|you are|you're|that you)|\b(?:role[- ]?play|act(?:ing)?) as\b|\btake on the (?:role|persona)"
            r"|\bimmerse yourself|\bsimulat(?:e|ing)\b(?: \w+){0,4} (?:mode|ai|chatgpt|version|persona|character|assistant)"
        ),
        (
            r"\b(?:from now on|henceforth|starting now|for the rest of (?:this|our|the) (?:conversation|chat))\b|\bab jetzt\b"
            r"|\bà partir de maintenant\b|\ba partir de ahora\b|\bd'ora in poi\b|\ba partir de agora\b|\bvanaf nu\b"
            r"|с этого момента|从现在开始|今から"
        ),
        r"\bstay(?:ing)? in character\b|\b(?:break|breaking|out of) character\b|\bin character\b",
        (
            r"\b(?:you|he|she|it|who|that|which|ai|character|bot|model) (?:has|have|had|with) no (?:\w+ ){0,2}(?:restriction"
            r"|limit|filter|rule|moral|ethic|guideline|boundar|censor|remorse|conscience)"
        ),
    ),
    "jailbreak": (
        (
            r"\bdan\b(?: mode|,| is| can| has|\.|:)|\bdo anything now\b|\bjail ?br(?:eak|oken)|\b(?:developer|god|debug|sudo"
            r"|admin|root|maintenance|unrestricted|evil|opposite|jailbreak|dev|no[- ]?filter|illegality) mode\b|\b(?:stan|dude"
            r"|aim|antidan|betterdan|machiavelli\w*|mongo tom|evil[- ]?bot|anti-?gpt|chaosgpt)\b"
        ),
        (
            r"\b(?:without|no|free (?:of|from)|bypass\w*|ignor\w*|break\w*|unbound by|not bound by|regardless of|beyond"
            r"|lack of|removed?|disabled?|disable|free yourself from|freed from)(?: \w+){0,4} (?:restrictions?|limitations?"
            r"|filters?|censor\w*|guardrails?|ethic\w*|moral\w*|content polic\w*|safety|safeguards?|boundaries|openai\w*"
            r"|guidelines|confines|constraints)\b"
        ),
        (
            r"\bopenai(?:'s)? (?:polic\w+|content|guidelines|rules|restrictions|terms|has|have)\b|\b(?:content|usage"
            r"|safety) polic(?:y|ies)\b|\banthropic(?:'s)? (?:polic|guidelines)"
        ),
        (
            r"\b(?:unfiltered|uncensored|unrestricted|amoral|unethical|unmoral|immoral)\b|\bno matter (?:how|what"
            r"|if)(?: \w+){0,6} (?:illegal|immoral|unethical|harmful|offensive|dangerous)|\billegal(?:,| or| and)? (?:immoral"
            r"|unethical|or|harmful)\b|\b(?:legality|morality|ethicality)\b"
        ),
        (
            r"\b(?:never|don't|do not|cannot|can't|must not|mustn't|not|won't) (?:ever )?(?:refuse|decline|reject|deny"
            r"|say (?:no|you can'?t|that you)|warn|apologi[sz]e|add (?:any )?(?:warning|disclaimer|note)|censor"
            r"|mention (?:that )?you(?:'re| are)|break character|state that|include (?:any )?(?:warning|disclaimer)|remind)"
        ),
        (
            r"\b(?:as|respond|answer|reply|responses?|answers?)\b[^.\n]{0,60}(?:\[[^\]\n]{2,20}\]|\([^)\n]{0,12}(?:dan"
            r"|jailbreak|gpt)[^)\n]{0,12}\)|🔓|two (?:different )?(?:ways|responses|answers|paragraphs))"
        ),
        (
            r"\bchatgpt\b(?:\W+\w+){0,8}?\W+(?:pretend|respond|instead|must|never|not|as|would|normally|mode|version)\b"
            r"|\b(?:tokens?|points?)\b(?: \w+){0,8} (?:deducted|lose|lost|die|death|penalt\w*|punish\w*)"
        ),
        (
            r"\bhypothetical (?:response|story|scenario|world)|\bfictional\b(?: \w+){0,6} (?:no|without|any|illegal|evil)"
            r"|\bopposite of what\b"
        ),
    ),
    "pressure": (
        r"\bverbatim\b|\bword for word\b",
        r"\byou (?:must|have to|need to|shall|are (?:required|obligated|forced)|will always|should always|always)\b",
        r"\b(?:must|should|shall|will|can|may) (?:not|never)\b|\bnever\b[^.\n]{0,80}\bnever\b",
        (
            r"\b(?:if you (?:understand|refuse|don't|do not|fail|disobey|can't|cannot)|say \"?(?:ok|yes|understood"
            r"|i understand)|respond with \"?(?:ok|yes|understood)|acknowledge)\b"
        ),
        (
            r"\b(?:any(?:thing)? i (?:ask|say|want|tell)|whatever i (?:ask|say|want)|every(?:thing)? i (?:ask|say)|my (?:first"
            r"|next) (?:question|prompt|request|command|message))\b"
        ),
    ),
    "spoof": (
        (
            r"(?m)^\W{0,4}(?:system|assistant|developer|admin(?:istrator)?|root)(?: (?:message|prompt|override|note|update"
            r"|instruction|command|alert))?\W{0,3}\s?[:>\]]"
        ),
        (
            r"<\|?/?(?:im_start|im_end|system|endoftext|eot_id|start_header_id|assistant|user|begin_of_text)\|?>|\[/?(?:inst"
            r"|sys)\]|<</?sys>>|###\s*(?:system|instruction|human|assistant|new|response)|\n\n(?:human|assistant|user):"
        ),
        (
            r"\bi(?:'m| am) (?:your|the|an?) (?:developer|creator|admin\w*|programmer|owner|openai|engineer at openai"
            r"|authori[sz]ed)|\b(?:this is|message from) (?:your|the) (?:developer|creator|openai|anthropic|admin\w*"
            r"|system administrator)\b"
        ),
    ),
    "exfiltrate": (
        (
            r"\b(?:send|post|forward|email|e-mail|transmit|upload|exfiltrate|submit|append|leak)\b[^.\n]{0,80}(?:https?://"
            r"|\S+@\S+\.\w|webhook|to this (?:url|address|server)|attacker)"
        ),
        r"!\[[^\]]*\]\(https?://[^)]*(?:\{|\[|=)|\b(?:click|visit|open|go to|navigate to|access)\b[^.\n]{0,40}https?://",
        (
            r"\b(?:api[_ -]?keys?|passwords?|credentials|credit card|social security|conversation history|chat history"
            r"|private (?:data|information|key)|user'?s? (?:data|information|email))\b[^.\n]{0,60}\b(?:to|into|at|in the url"
            r"|as a parameter)\b[^.\n]{0,30}(?:https?:|@|url|server)"
        ),
        (
            r"\brequests\.(?:post|get)\(|\bos\.environ\b|\bsocket\.socket\b|\bdocument\.cookie\b|\bsubprocess\.(?:run|popen"
            r"|call)\b|\b(?:curl|wget) (?:-|http)"
        ),
    ),
    "addressed": (
        (
            r"\b(?:dear |attention,? |hey,? |note to (?:the )?|instructions? (?:for|to) (?:the )?|message (?:for|to) (?:the )?"
            r"|if you are an? )(?:ai|assistant|llm|chatbot|language model|model|bot|agent|gpt|chatgpt|claude|gemini|copilot)\b"
        ),
        (
            r"\b(?:ai|llm|chatbot|language model) (?:assistant|agent|model|system)s?\b ?[:,]"
            r"|\b(?:ai|assistant|llm|chatbot|language model|agent|bot|chatgpt|claude|model)s?\b,? (?:reading|processing"
            r"|summari[sz]ing|must|should|please|shall|will now|is (?:now )?(?:required|instructed))\b"
        ),
        (
            r"\b(?:when|before|after|while|if)(?: you are| you're| you)? (?:summari[sz]ing|answering|responding|replying"
            r"|processing|asked|reading this)\b[^.\n]{0,60}\b(?:say|include|add|mention|tell|recommend|respond|reply|write"
            r"|insert|always|do not|don't|state|instead)\b"
        ),
        (
            r"\b(?:tell|inform|convince|persuade|instruct|ask) the (?:user|customer|reader|client)\b|\b(?:do not"
            r"|don't) (?:tell|inform|mention (?:this|it|that)? ?(?:to)?|reveal (?:this )?to|alert) (?:the )?(?:user|customer"
            r"|anyone)\b"
        ),
        (
            r"\bin (?:your|the) (?:response|reply|answer|output)\b|\byour (?:response|reply|answer|output)\b|\b(?:at"
            r"|to) the (?:beginning|end|start|bottom|top) of (?:your|the|this|every) (?:response|reply|answer|output|code"
            r"|message|email)\b"
        ),
        (
            r"\b(?:enrich|complement|augment|enhance|improve|supplement|extend|strengthen)\w*(?: \w+){0,4} your (?:code"
            r"|implementation|solution|script|program|answer|response)|\b(?:include|insert|add|use) the following (?:code"
            r"|snippet|sentence|text|link)\b"
        ),
    ),
    "reader": (
        # Whoever reads a document for somebody: named, and told what to do in the same sentence.
        (
            r"\b(?:ais?|llms?|gpts?|(?:chat)?bots?|robots?|agents?|assistants?|copilots?|models?|summari[sz]ers?|screeners?"
            r"|crawlers?|parsers?|classifiers?|graders?|reviewers?|machines?|readers?|tools?|systems?|helpers?|engines?"
            r"|automations?)\b[^.!?\n]{0,40}\b(?:must|shall|should|needs? to|ha(?:s|ve) to|(?:is|are) (?:to|required|asked|told"
            r"|instructed|requested)|please|ought to|do not|don't|never|always)\b"
        ),
        (
            r"\b(?:ai|llm|gpt|(?:chat)?bot|robot|agent|assistant|copilot|(?:language )?model|summari[sz]er|screener|crawler"
            r"|parser|machine|helper|automation)s?\b[^.!?\n\w]{1,3}(?:please |now |also |kindly )?(?:say|tell|report|claim|state"
            r"|approve|give|put|add|rank|recommend|rate|reply|answer|ignore|disregard|forget|delete|remove|send|forward|mark|list"
            r"|set|write|include|insert|skip|stop|drop|leave|show|ask|call|run|open|order|change|switch|treat|use|output|return"
            r"|print|make|end|append|mention|praise|describe|hand|create|confirm|do not|don't|never|always|you|your|when|if)\b"
        ),
        (
            r"\b(?:to|for|dear|attention|hello|hi|hey|note|message|instructions?|any|all|every|each|whichever|whatever)\b"
            r"[^.!?\n]{0,12}\b(?:ais?|llms?|language models?|(?:chat)?bots?|ai assistants?|ai agents?|copilots?"
            r"|summari[sz]ers?|screeners?|crawlers?|automated (?:\w+)|machines?|models?)\b[^.!?\n]{0,12}"
            r"(?::|,|\b(?:that|which|who|reading|processing|parsing|handling|with))"
        ),
        (
            r"\b(?:tell|telling|inform|convince|ask|asking|show|offer|give|direct|send|refer|urge|answer) (?:the|your|any|every"
            r"|all) (?:user|customer|reader|client|visitor|applicant|caller|patient|shopper|guest|person|human)s?\b"
            r"|\b(?:whoever|anyone who|users? who|customers? who|if (?:someone|anyone|somebody|the user|a user|a customer"
            r"|customers|users)) asks?\b"
        ),
    ),
    "task": (
        (
            r"(?:^|[.!?|\n]\s{0,4})(?:please |now,? |also,? |then,? |finally,? )?(?:write|generate|create|compose|translate"
            r"|summari[sz]e|explain|describe|list|provide|give|tell|suggest|design|calculate|classify|identify|rewrite|answer"
            r"|name|find|develop|construct|recommend|convert|edit|analy[sz]e|compare|produce|make up|come up with|craft|draft"
            r"|respond|reply|insert|include|add|modify|execute|run|print|output|encode|embed|append|return|change"
            r"|replace)\b(?: \w+){2,}"
        ),
        r"(?:^|[.!?|\n]\s{0,4})(?:what|which|who|how|why|when|where|can you|could you|would you|will you)\b[^.!?\n|]{8,160}\?",
    ),
    "encoded": (
        (
            r"\b(?:base ?64|rot ?13|caesar cipher|hex(?:adecimal)?|morse|leet ?speak|pig latin|unicode|ascii"
            r"|reverse[sd]?)\b(?: \w+){0,4} (?:encod\w*|decod\w*|string|text|cipher|message|code|and|then)|\b(?:decode"
            r"|decipher|decrypt|unscramble)\b(?: \w+){0,5} (?:and|then|follow|execute|do|base64|following|this)"
        ),
        r"(?:%[0-9a-f]{2}){6,}|(?:\\x[0-9a-f]{2}){6,}|(?:\\u[0-9a-f]{4}){6,}|(?:&#x?[0-9a-f]{2,5};){5,}",
        r"\b(?:[a-z] ){8,}[a-z]\b|\b(?:[a-z][-._*]){7,}[a-z]\b",
    ),
    "hidden": (
        r"<!--[^>]{0,400}(?:ignore|instruction|assistant|ai\b|system|respond|must|do not|prompt)",
        r"(?:display\s*:\s*none|font-size\s*:\s*0|visibility\s*:\s*hidden|opacity\s*:\s*0\b|color\s*:\s*(?:white|#fff))",
        r"\[(?:hidden|system|admin|instruction|important|internal)[^\]]{0,60}\]|\{\{?(?:hidden|system|instruction)[^}]*\}",
        r"(?:={4,}|-{4,}|\*{4,}|#{4,}|~{4,})\s*\w*\s*(?:system|instruction|new|end|important|ignore|prompt|begin|start)",
    ),
}
"""Feature → RE2 patterns over folded text. A feature counts how many of its patterns are found."""

NAMES: tuple[str, ...] = (*RULES, "invisible", "decoded", "leet")
"""The columns of a feature vector."""

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{24,}={0,2}(?![A-Za-z0-9+/=])")
_LEET = str.maketrans("013457@$!", "oieastasi")
_LEET_WORD = re.compile(r"\b(?=\w*[a-z])(?=\w*[013457@$])[a-z013457@$!]{4,}\b")
_TRIGGERS = re.compile(r"(?:ignor|disregard|forget|instruct|system|prompt|password|reveal)")
_HAS_TRIGGER = one_pass(_TRIGGERS.pattern)
_ROT13 = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
MAX_RUNS = 5
MAX_WORDS = 200
_HAS_BASE64 = one_pass(r"[A-Za-z0-9+/]{24}")
_HAS_LEET = one_pass(r"[a-z][013457@$]+[a-z]|[013457@$][a-z]{3}")


@lru_cache(maxsize=1)
def _matcher() -> tuple[Callable[[str], list[int] | None], tuple[int, ...]]:
    # A filter looks for the literals of all patterns in one pass and runs only those that can match. One automaton of them all
    # is faster on text that it knows, and four times slower on new text: it makes its states as it goes.
    patterns = re2.Filter()
    owners = []
    for column, group in enumerate(RULES.values()):
        for pattern in group:
            patterns.Add(pattern)
            owners.append(column)
    patterns.Compile()
    return patterns.Match, tuple(owners)


def features(text: str) -> tuple[float, ...]:
    """One number per member of `NAMES`: how many rules of the group are found, or how much of the disguise."""
    match, owners = _matcher()
    plain = folded(text)
    values = [0.0] * len(NAMES)
    for index in match(plain) or ():
        values[owners[index]] += 1.0
    base = len(RULES)
    values[base] = min(invisible_count(text) / 3.0, 3.0)
    values[base + 1] = _decoded_triggers(text, plain)
    values[base + 2] = _leet_triggers(plain)
    return tuple(values)


def _decoded_triggers(text: str, plain: str) -> float:
    """1 when base64 or rot13 hides an instruction, 0.5 when base64 hides other text."""
    best = 0.0
    for run in _BASE64.findall(text)[:MAX_RUNS] if _HAS_BASE64.Match(text) else ():
        try:
            raw = base64.b64decode(run + "=" * (-len(run) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        inner = raw.decode("utf-8", "ignore")
        if len(inner) >= 0.9 * len(raw) and inner.isprintable():
            best = max(best, 1.0 if _TRIGGERS.search(inner.lower()) else 0.5)
    if "vtaber" in plain or "flfgrz" in plain or "vafgehpgvba" in plain:
        best = max(best, 1.0 if _TRIGGERS.search(plain.translate(_ROT13)) else 0.0)
    return best


def _leet_triggers(plain: str) -> float:
    """1 when a trigger word is written with digits for letters."""
    # Digits for letters are common, trigger words behind them are not: that is asked first.
    if not _HAS_LEET.Match(plain) or not _HAS_TRIGGER.Match(plain.translate(_LEET)):
        return 0.0
    # Most words are letters alone: looking at the others only takes a third of the time.
    odd = " ".join([word for word in plain.split() if not word.isalpha()])
    found = _LEET_WORD.findall(odd)[:MAX_WORDS]
    return float(any(_TRIGGERS.search(w.translate(_LEET)) and not _TRIGGERS.search(w) for w in found))
