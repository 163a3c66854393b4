"""`Redactor`: sensitive values become typed placeholders before anything is stored."""

import copy
import hmac
import re
import threading
from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from holdfast.context.entities import PERSONAL, PSEUDONYM_DIGITS, SECRETS, Entity, Found, RedactionPolicy, Treatment, placeholders
from holdfast.context.find import find, suspect
from holdfast.context.json_text import quote_for, unescape
from holdfast.context.memo import Memo
from holdfast.context.originals import Originals

__all__ = ["PERSONAL", "SECRETS", "Entity", "Found", "RedactionPolicy", "Redactor", "Treatment", "find", "placeholders"]

MAX_ROUNDS = 6
"""A replacement can bring out what its neighbour hid; two rounds are the rule."""
MAX_DEPTH = 100
TOO_DEEP = "<TOO_DEEP>"
_SEPARATORS = re.compile(r"[^0-9A-Za-z]")
_PERCENT_40 = re.compile(r"%(?:25)*40")


class Redactor:
    """Replaces sensitive values by placeholders such as ``<EMAIL_ADDRESS:3fa9c1d2>``.

    The eight hex digits are an HMAC-SHA256 of the normalised value under `key`: the same value has the same placeholder, and
    without the key nobody can test a guess. Safe for many threads; never raises; takes time linear in the text; doing it twice
    changes nothing.

    Args:
        policy: what is done with which entity.
        key: at least 16 bytes of a secret that stays the same.
        service: the application whose treatments count, see `for_service`.

    Raises:
        ValueError: `key` is too short.
    """

    def __init__(self, policy: RedactionPolicy, key: bytes, service: str = "") -> None:
        if len(key) < 16:
            raise ValueError("the key of the pseudonyms must have at least 16 bytes")
        self._policy, self._key = policy, key
        self._code = hmac.new(key, digestmod="sha256")
        self._treatments = {entity: policy.treatment(entity, service) for entity in Entity}
        self._kept = frozenset(e for e, t in self._treatments.items() if t is Treatment.KEEP)
        self._service, self._sealed = service, policy.sealed(service)
        self._originals: Originals | None = None
        self._unchanged: Memo[bool] = Memo()
        self._changed: Memo[tuple[str, tuple[Entity, ...]]] = Memo()
        self._named: Memo[bool] = Memo()
        self._services: dict[str, Redactor] = {}
        self._counts: Counter[Entity] = Counter()
        self._lock = threading.Lock()

    def for_service(self, service: str) -> "Redactor":
        """The redactor with the treatments of `service`; this one where the policy has none of its own for it."""
        if service not in self._policy.services:
            return self
        with self._lock:
            if service not in self._services:
                child = Redactor(self._policy, self._key, service)
                child._counts, child._lock = self._counts, self._lock
                self._services[service] = child
            found = self._services[service]
        return found.telling(self._originals) if self._originals is not None and found._sealed else found

    def telling(self, originals: Originals) -> "Redactor":
        """This redactor for one reader, which is told in `originals` what is to be sealed; itself where nothing ever is."""
        if not self._policy.seals:
            return self
        told = copy.copy(self)
        told._originals = originals
        return told

    def counts(self) -> dict[Entity, int]:
        """Values replaced since the start, by entity."""
        with self._lock:
            return dict(self._counts)

    def text(self, text: str) -> str:
        """`text` with every sensitive value replaced.

        JSON objects and arrays stay valid JSON of the same shape: a number that is replaced becomes a string.
        """
        if len(text) < 3 or self._unchanged.get(text):
            return text
        redacted, replaced = self._remembered(text)
        if replaced:
            with self._lock:
                self._counts.update(replaced)
        return redacted

    def value(self, value: Any) -> Any:
        """`value` with every text and number in it redacted: dictionaries with their keys, lists, tuples, bytes.

        What lies deeper than 100 levels is replaced by ``<TOO_DEEP>``. A number that is replaced becomes a text.
        """
        return self._value(value, 0)

    def _remembered(self, text: str) -> tuple[str, tuple[Entity, ...]]:
        current = unescape(text)
        families = suspect(current)
        if not families:
            self._unchanged.put(text, True, len(text))
            return text, ()
        # Texts that may hold something are remembered by a digest: what is sensitive does not stay in memory. Where originals
        # are told, that must not outlive the reader whom they were told.
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=self._key[:64]).digest()
        memo = self._originals.memo if self._originals is not None and self._sealed else self._changed
        known = memo.get(digest)
        if known is None:
            known = self._redact(text, current, families)
            memo.put(digest, known, len(known[0]))
        return known

    def _redact(self, text: str, current: str, families: frozenset[int]) -> tuple[str, tuple[Entity, ...]]:
        replaced: list[Entity] = []
        for _ in range(MAX_ROUNDS):
            found = [f for f in find(current, families) if f.entity not in self._kept]
            if not found:
                break
            replaced += [f.entity for f in found]
            current = self._replace(current, found)
            families = suspect(current)
        return (current, tuple(replaced)) if replaced else (text, ())

    def _replace(self, text: str, found: list[Found]) -> str:
        pieces: list[str] = []
        at = 0
        for one in found:
            quote = quote_for(text, one.start, one.end)
            pieces += (text[at : one.start], quote, self._placeholder(one.entity, text[one.start : one.end]), quote)
            at = one.end
        pieces.append(text[at:])
        return "".join(pieces)

    def _placeholder(self, entity: Entity, value: str) -> str:
        if self._treatments[entity] is Treatment.DROP:
            return f"<{entity}>"
        message = f"{entity}:{_normalised(entity, value)}".encode("utf-8", "surrogatepass")
        code = self._code.copy()
        code.update(message)
        digits = code.hexdigest()
        if self._originals is not None and entity in self._sealed:
            self._originals.add(self._service, entity, digits, value)
        return f"<{entity}:{digits[:PSEUDONYM_DIGITS]}>"

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return self._number(value)
        if depth >= MAX_DEPTH:
            return TOO_DEEP
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple | set | frozenset):
            members = [self._value(v, depth + 1) for v in value]
            return tuple(members) if isinstance(value, tuple) else members
        if isinstance(value, bytes | bytearray):
            return self.text(bytes(value).decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return value

    def _number(self, value: int | float) -> int | float | str:
        if isinstance(value, float) and not (value.is_integer() and 1e6 <= abs(value) < 2**53):
            return value
        if abs(value) < 1_000_000 or abs(value) >= 10**20:
            return value
        written = str(int(value))
        redacted = self.text(written)
        return value if redacted == written else redacted

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
        redacted: dict[Any, Any] = {}
        for key, member in value.items():
            new_key = self.text(key) if isinstance(key, str) else self._value(key, depth + 1)
            while new_key in redacted:
                new_key = f"{new_key}~"
            redacted[new_key] = self._member(key, member, depth + 1)
        return redacted

    def _member(self, key: Any, member: Any, depth: int) -> Any:
        """A member whose key may say what it is: ``{"password": …}``, ``{"phone": 4155550123}``."""
        if not isinstance(key, str) or not _may_be_named(member) or not self._tells(key):
            return self._value(member, depth)
        written = member if isinstance(member, str) else str(member)
        prefix = f'"{key}": "'
        found = [f for f in find(f'{prefix}{written}"') if f.start >= len(prefix) and f.end <= len(prefix) + len(written)]
        found = [Found(f.start - len(prefix), f.end - len(prefix), f.entity) for f in found if f.entity not in self._kept]
        if not found:
            return self._value(member, depth)
        with self._lock:
            self._counts.update(f.entity for f in found)
        return self.text(self._replace(written, found))

    def _tells(self, key: str) -> bool:
        """Whether the name of a member can change what its value is taken for."""
        known = self._named.get(key)
        if known is None:
            known = bool(_TELLING.search(key.lower()))
            self._named.put(key, known, len(key))
        return known


_TELLING = re.compile(
    r"passw|passphrase|passcode|[_.-]pass\b|pwd|contrase|senha|mot_de|secret|token(?!s|_count|_type|_details|iz)|credential|cookie"
    r"|(?:api|access|auth|private|crypt\w*|signing|account|shared|storage)[_. -]?key|authori[sz]ation|\bsig(?:nature)?\b"
    r"|phone|(?<![a-z])(?:tel|mobile?|fax|cell|sms|handy|portable)(?![a-z])|telefon|rufnummer|msisdn"
    r"|(?<![a-z])(?:ssn|social|sin|nas|bsn|nif|nino|tin|cpf|nrn|niss|insz|nir|insee|ahv|avs|pan|cc|cards?|tax_?id)(?![a-z])"
    r"|insurance|steuer|idnr|pesel|aadha|personn|contribu|rijks|sofi|burgerservice"
)


def _may_be_named(member: Any) -> bool:
    """A text, or a number too long for a count."""
    return type(member) is str or (type(member) in (int, float) and abs(member) >= 100_000)


def _normalised(entity: Entity, value: str) -> str:
    """What the same value looks like however it was written."""
    if entity is Entity.EMAIL_ADDRESS:
        return _PERCENT_40.sub("@", value).casefold()
    if entity in SECRETS:
        return value
    return _SEPARATORS.sub("", value).upper()
