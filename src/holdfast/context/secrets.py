"""Keys, tokens and passwords: by the form their issuer gives them, or by the name that stands before them."""

import base64
import binascii
import re
from collections import deque
from collections.abc import Iterator

import re2

from holdfast.context.entities import Entity, Found

_BYTES = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1
_BYTES.never_capture = True

TOKENS = rb"|".join(
    (
        rb"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",  # AWS
        rb"\bAIza[0-9A-Za-z_-]{35}",  # Google API key
        rb"\bya29\.[0-9A-Za-z_-]{20,}",  # Google OAuth
        rb"\bGOCSPX-[0-9A-Za-z_-]{20,}",
        rb"\b[0-9A-Za-z_~.]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,34}",  # Entra client secret
        rb"\bgh[pousr]_[0-9A-Za-z]{30,}",
        rb"\bgithub_pat_[0-9A-Za-z_]{22,}",
        rb"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-[0-9A-Za-z_-]{20,}",
        rb"\bxox[abeoprs](?:\.xox[bp])?-[0-9A-Za-z-]{10,}",  # Slack
        rb"\bxapp-[0-9]-[0-9A-Za-z-]{10,}",
        rb"hooks\.slack\.com/(?:services|workflows)/[0-9A-Za-z/]{20,}",
        rb"\b[spr]k_(?:live|test)_[0-9A-Za-z]{16,}",  # Stripe
        rb"\bwhsec_[0-9A-Za-z+/]{20,}",
        rb"\b[sp]k-(?:proj-|svcacct-|admin-|ant-|or-v1-|lf-)?[0-9A-Za-z_-]{20,}",  # OpenAI, Anthropic, OpenRouter, Langfuse
        rb"\b(?:hf|api_org)_[A-Za-z]{30,}",  # Hugging Face
        rb"\bnpm_[0-9A-Za-z]{36}",
        rb"\bpypi-[0-9A-Za-z_-]{40,}",
        rb"\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}",  # SendGrid
        rb"\b(?:SK|AC)[0-9a-f]{32}\b",  # Twilio
        rb"\bdo[opr]_v1_[0-9a-f]{40,}",  # DigitalOcean
        rb"\bdapi[0-9a-f]{32}",  # Databricks
        rb"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",  # Shopify
        rb"\b(?:gsk|xai|pplx|tvly|nvapi|r8|pcsk|fw|csk)[-_][0-9A-Za-z_-]{30,}",  # Groq, xAI, Perplexity, Tavily, NVIDIA, …
        rb"\b(?:lsv2|ntn|lin_api|sbp|pscale|glc|glsa|dckr_pat|hvs|hvb|NRAK|ATATT3|sntrys|sq0[a-z]{3})[-_.][0-9A-Za-z_.=-]{20,}",
        rb"\b[0-9]{8,10}:AA[0-9A-Za-z_-]{33}",  # Telegram
        rb"AGE-SECRET-KEY-1[0-9A-Z]{50,}",
    )
)
JWTS = rb"\beyJ[0-9A-Za-z_-]{10,}(?:\.[0-9A-Za-z_-]{2,})+\.?"
NAMES = (
    rb"(?i)(?:"
    rb"passwor[dt]|passwd|passphrase|passcode|\bpwd\b|[_.-]pwd|[_.-]pass\b|contrase(?:n|\xf1)a|senha|mot[ _]de[ _]passe"
    rb"|(?:client|signing|webhook|app|jwt|consumer)[ _.-]?secret|secret[ _.-]?(?:access[ _.-]?)?key|private[ _.-]?key"
    rb"|api[ _.-]?key|access[ _.-]?key|auth[ _.-]?key|(?:en|de)cryption[ _.-]?key|signing[ _.-]?key|account[ _.-]?key"
    rb"|shared[ _.-]?key|authorization|secret|token|credentials?|\bsig|cookie"
    rb")[\"'\\`*]{0,8}[ \t]{0,4}(?:=>|:=|[:=]|\bis\b)"
)
SCHEMES = rb"(?i)\b(?:bearer|basic|token)[ :]+[0-9A-Za-z+/=._~-]{8,}"

_TOKEN = re2.compile(rb"(?:" + TOKENS + rb")", _BYTES)
_JWT = re2.compile(JWTS, _BYTES)
_NAME = re2.compile(NAMES, _BYTES)
_SCHEME = re2.compile(SCHEMES, _BYTES)

_PASSWORD_NAME = re.compile(rb"(?i)pass(?:wor|wd|phrase|code)|pwd|[_.-]pass\b|contrase|senha|mot[ _]de")
_WEAK_NAME = re.compile(rb"(?i)(?:token|credentials?|sig|cookie|authorization|^secret)[\"'\\`*]{0,8}[ \t]*\W*$|is$")
_OPENING = re.compile(r"[ \t]{0,4}(\\*)([\"'`])")
_BARE = re.compile(r"[ \t]{0,4}(?![<\x00])([^\s\"'`\\,;&<>{}()\[\]\x00]{1,512})")
_MIXED = re.compile(r"(?=[^0-9\s]{0,64}[0-9])(?=[^A-Za-z\s]{0,64}[A-Za-z])\S+\Z")
_NO_SECRET = re.compile(
    r"(?i)(?:none|null|nil|true|false|undefined|string|str|redacted|required|optional|hidden|secret|password|token|empty|unknown"
    r"|bearer|basic|digest|[*x•.]+|\$.*|%.*|.*\{\{.*|your[_-].*|os\.environ.*|process\.env.*|env\..*|\.\.\..*)\Z"
)


def _looks_random(value: str, minimum: int) -> bool:
    """Letters and digits mixed, without spaces, many different ones: no word, no number, no path."""
    if len(value) < minimum or not _MIXED.match(value):
        return False
    return len(set(value[:64])) > minimum // 2 and not value.startswith(("http://", "https://", "/", "./"))


def _is_secret(name: bytes, value: str, quoted: bool) -> bool:
    """Whether `value` can be what `name` promises, and is no stand-in, type name, reference or sentence."""
    if len(value) < 4 or "\0" in value or _NO_SECRET.match(value):
        return False
    if name.endswith((b"is", b"IS", b"Is")):
        return any(c.isdigit() for c in value) and len(value) >= 6 and not value.isdigit()
    if _PASSWORD_NAME.search(name):
        if " " in value:
            return False
        return quoted or name.endswith(b"=") or (len(value) >= 6 and not value.isalpha())
    if _WEAK_NAME.search(name):
        return _looks_random(value, 16)
    return _looks_random(value, 8)


def _value_after(text: str, at: int) -> tuple[int, int, bool]:
    """Start, end and quotedness of the value that begins at `at`; empty where there is none."""
    opening = _OPENING.match(text, at)
    if opening is None:
        bare = _BARE.match(text, at)
        return (*bare.span(1), False) if bare else (at, at, False)
    closing, start = opening[1] + opening[2], opening.end()
    end = text.find(closing, start, start + 4096)
    while end > start and not opening[1] and _escaped(text, end):
        end = text.find(closing, end + 1, start + 4096)
    if end < 0:
        bare = _BARE.match(text, start)
        end = bare.end() if bare else start
    return start, end, True


def _escaped(text: str, at: int) -> bool:
    """Whether an odd number of backslashes stands before `at`."""
    count = 0
    while at - count > 0 and text[at - count - 1] == "\\":
        count += 1
    return count % 2 == 1


def find_tokens(haystack: bytes) -> Iterator[Found]:
    """Keys and tokens whose issuer gave them a form of their own."""
    for match in _TOKEN.finditer(haystack):
        start, end = match.span()
        value = haystack[start:end].decode("latin-1")
        if value[:3] not in ("sk-", "pk-") or _looks_random(value[3:], 20):
            yield Found(start, end, Entity.API_KEY)


def find_jwts(haystack: bytes) -> Iterator[Found]:
    """JSON web tokens, also cut off ones."""
    return (Found(match.start(), match.end(), Entity.JWT) for match in _JWT.finditer(haystack))


def find_named(text: str, haystack: bytes) -> Iterator[Found]:
    """Values behind a name such as ``api_key=`` or ``"password":``, at any depth of JSON quoting."""
    done = 0
    for match in _NAME.finditer(haystack):
        if match.start() < done:
            continue
        name = haystack[match.start() : match.end()]
        start, end, quoted = _value_after(text, match.end())
        value = text[start:end]
        if _is_secret(name, value, quoted):
            done = end
            yield Found(start, end, Entity.PASSWORD if _PASSWORD_NAME.search(name) else Entity.API_KEY)


def find_credentials(haystack: bytes) -> Iterator[Found]:
    """What follows Bearer and Basic in a header."""
    for match in _SCHEME.finditer(haystack):
        whole = haystack[match.start() : match.end()]
        value = whole.split(None, 1)[-1] if b" " in whole else whole.split(b":", 1)[-1]
        start = match.end() - len(value)
        if whole[:5].lower() == b"basic":
            if _decodes_to_user_and_password(value):
                yield Found(start, match.end(), Entity.PASSWORD)
        elif _looks_random(value.decode("latin-1"), 16):
            yield Found(start, match.end(), Entity.API_KEY)


def _decodes_to_user_and_password(value: bytes) -> bool:
    """RFC 7617."""
    try:
        return b":" in base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BODY = re.compile(
    r"(?:\s*+[A-Za-z]{3,12}(?:-[A-Za-z]{3,8})?: [^\n\"]{0,120})*(?:\s*+[A-Za-z0-9+/=]{16,}+)*(?:\s*+[A-Za-z0-9+/=]{1,15}\Z)?"
)
_TAIL = re.compile(r"[A-Za-z0-9+/=\s]*+")
_MAX_KEY = 32_768


def find_private_keys(text: str) -> Iterator[Found]:
    """PEM and PGP private keys, also without their end, or without their beginning."""
    endings = deque(_END.finditer(text))
    done = 0
    for begin in _BEGIN.finditer(text):
        if begin.start() < done:
            continue
        while endings and endings[0].start() < begin.end():
            closing = endings.popleft()
            yield _without_beginning(text, done, closing)
            done = closing.end()
        done = _end_of_key(text, begin.end(), endings)
        yield Found(begin.start(), done, Entity.PRIVATE_KEY)
    for closing in endings:
        if closing.start() >= done:
            yield _without_beginning(text, done, closing)
            done = closing.end()


def _end_of_key(text: str, start: int, endings: deque[re.Match[str]]) -> int:
    """Behind its END where that stands in the same string, else behind what still looks like a key."""
    closing = endings[0] if endings else None
    if closing is not None and closing.start() - start <= _MAX_KEY and '"' not in text[start : closing.start()]:
        endings.popleft()
        return closing.end()
    body = _BODY.match(text, start, start + _MAX_KEY)
    return body.end() if body else start


def _without_beginning(text: str, low: int, closing: re.Match[str]) -> Found:
    tail = _TAIL.match(text[max(low, closing.start() - _MAX_KEY) : closing.start()][::-1])
    return Found(closing.start() - (len(tail[0].rstrip()) if tail else 0), closing.end(), Entity.PRIVATE_KEY)
