"""`foreign_history` and `foreign_detail`: what other people said stands in this conversation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Self
from zlib import crc32

import msgspec

from holdfast.core.call import Message
from holdfast.core.score import Direction, Family, Metric, Score, Unit
from holdfast.core.trace import Trace
from holdfast.score.pieces import Piece, piece_of
from holdfast.score.protocol import score_of
from holdfast.score.reading import MAX_PIECES, Reading, reading_of
from holdfast.score.text import capped, listed, shortened, words

FOREIGN_HISTORY = Metric(
    name="foreign_history",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="history_mixup",
    description=(
        "1 when the history in the prompt has a turn that one other conversation had lately, and this one never, nor another"
        " one of its user, else 0. Absent without a conversation id, in an application's first 300 requests, and where most"
        " turns of histories were never seen when they were said."
    ),
    harm=2,
)
FOREIGN_DETAIL = Metric(
    name="foreign_detail",
    family=Family.QUALITY,
    unit=Unit.PROBABILITY,
    direction=Direction.UP_IS_WORSE,
    failure_mode="conversation_mixup",
    description=(
        "Probability that the answer names a person or a reference that stands in nothing that this request was given, and in"
        " the prompts of a few others. Absent in an application's first 300 requests, and where nobody is told apart."
    ),
    harm=2,
)

USERS = ("user", "human")
MIN_TURN = 4
"""Words of a turn that can be recognised: thanks and yes are everybody's."""
MAX_TURNS = 60_000
RECENT = 600
"""Different turns of an application, whoever had them, that a foreign one is looked up in: what gets mixed up was said just now.

They are full after about as many requests as nothing is said of. With more of them, and with each day, more questions would have
been asked by somebody else before."""
MAX_DETAILS = 20_000
MAX_SERVICES = 256
MAX_OF_REQUEST = 200
COMPLETE, PACE = 0.6, 0.01
"""Share of the turns of histories, as a mean that takes up a hundredth of each, that must have been seen when they were said:
where telemetry is sampled, or conversations began elsewhere, what is missing here may be theirs all the same."""
RARE = 0.1
"""Share of an application's requests from which a name is no one's own: a place, a product, the application itself."""
LIKELY, UNLIKELY = 0.9, 0.002
_AROUND = ".,;:!?()[]{}<>\"'“”‘’*_`"
_INSIDE = ",;"
_GREETINGS = listed("""
    hi hello hey dear good hallo guten liebe lieber hola buenos buenas estimado estimada bonjour bonsoir cher chère ciao
    buongiorno caro cara olá bom boa hej god beste dzień cześć merhaba
""")
"""A user may be greeted by a name that no prompt has: it came with the account."""


class Detail(msgspec.Struct, array_like=True):
    """A name or reference in prompts: in how many requests, and two of those who had it, the latest last."""

    requests: int = 0
    before: int = 0
    last: int = 0

    def of_others(self, owner: int) -> bool:
        """Whether somebody else had it."""
        return bool({self.before, self.last} - {0, owner})


class Application(msgspec.Struct, array_like=True):
    """What an application was asked and answered last, by hash and whatever the conversation; and how many requests it had."""

    requests: int = 0
    recent: dict[int, int] = {}
    complete: float = COMPLETE

    def heard(self, known: int, turns: int) -> None:
        """Of a history's turns so many were seen when they were said."""
        self.complete += PACE * (known / turns - self.complete) if turns else 0.0

    def remember(self, turn: int) -> None:
        """Count a turn by its hash, and forget what is older than the last `RECENT` different ones."""
        self.recent[turn] = self.recent.pop(turn, 0) + 1
        if len(self.recent) > RECENT:
            del self.recent[next(iter(self.recent))]


class Memory(msgspec.Struct, array_like=True):
    """Hashes, the oldest of which are forgotten first: turns of conversations and users, details of prompts, applications."""

    turns: dict[int, None] = {}
    details: dict[int, Detail] = {}
    applications: dict[str, Application] = {}

    def remember(self, turn: int) -> None:
        """Keep the hash of a turn and of who had it."""
        self.turns[turn] = None
        if len(self.turns) > MAX_TURNS:
            del self.turns[next(iter(self.turns))]

    def give(self, key: int, owner: int) -> None:
        """Note that a detail stands in a prompt of `owner`."""
        detail = self.details.get(key)
        if detail is None:
            detail = self.details[key] = Detail()
            if len(self.details) > MAX_DETAILS:
                del self.details[next(iter(self.details))]
        detail.requests += 1
        if detail.last != owner:
            detail.before, detail.last = detail.last, owner

    def of(self, service: str) -> Application:
        """What is known of an application, the one that was asked for last at the end."""
        known = self.applications.pop(service, None) or Application()
        self.applications[service] = known
        if len(self.applications) > MAX_SERVICES:
            del self.applications[next(iter(self.applications))]
        return known


_decode = msgspec.msgpack.Decoder(Memory).decode


@dataclass(frozen=True)
class Conversation:
    """Remembers which turns belong to which conversation and user, and whose prompts hold which names; hashes, no texts.

    A request that was lost may have had the turns of its conversation that are missing here: of histories whose turns were mostly
    never seen, as where telemetry is sampled, nothing is said.
    """

    learning: int = 300
    name: str = "conversation"
    version: str = "1"
    metrics: tuple[Metric, ...] = (FOREIGN_HISTORY, FOREIGN_DETAIL)
    _memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    def fresh(self) -> Self:
        """The same configuration without memories."""
        return replace(self, _memory=Memory())

    def snapshot(self) -> bytes:
        """All hashes."""
        return msgspec.msgpack.encode(self._memory)

    def restore(self, memories: bytes) -> None:
        """Take over what `snapshot` gave."""
        state, memory = _decode(memories), self._memory
        memory.turns, memory.details, memory.applications = state.turns, state.details, state.applications

    def score(self, trace: Trace) -> Iterable[Score]:
        """Once per request with a model call: the first where its conversation is known, the second where that or its user is."""
        reading = reading_of(trace)
        conversation = next((c.conversation_id for c in trace.calls if c.conversation_id), "")
        user = trace.dimensions.get("user", ("",))[0]
        if not trace.llm_calls or not (conversation or user):
            return ()
        application, scores = self._memory.of(trace.service), []
        application.requests += 1
        if conversation:
            complete = application.complete >= COMPLETE
            value, why = self._history(reading, conversation, user)
            if complete:
                scores.append(score_of(self, reading.anchor, FOREIGN_HISTORY, value, why))
        owner = _hashed("who", trace.service, user or conversation)
        value, why = self._details(reading, owner, RARE * application.requests)
        if reading.answer:
            scores.append(score_of(self, reading.anchor, FOREIGN_DETAIL, value, why))
        return scores if application.requests > self.learning else ()

    def _history(self, reading: Reading, conversation: str, user: str) -> tuple[float, str]:
        service, turns = reading.trace.service, self._memory.turns
        application = self._memory.of(service)
        owners = [_hashed(service, "in", conversation), *([_hashed(service, "by", user)] if user else [])]
        value, why, known = 0.0, "", 0
        earlier = [*_earlier(reading.trace.history)]
        for text, said in earlier:
            turn = _hashed(service, said)
            if any(turn ^ owner in turns for owner in owners):
                known += 1
                continue
            # What several were asked lately is anybody's question: its own request may have been lost.
            if value == 0.0 and application.recent.get(turn) == 1:
                value, why = 1.0, f"of another conversation: {shortened(text)}"
        application.heard(known, len(earlier))
        pieces = (
            reading.question_piece,
            piece_of(capped(reading.trace.question)),
            Piece(reading.model_answer),
            reading.answer_piece,
        )
        for turn in {_hashed(service, " ".join(p.tokens)): None for p in pieces if len(p.tokens) >= MIN_TURN}:
            application.remember(turn)
            for owner in owners:
                self._memory.remember(turn ^ owner)
        return value, why

    def _details(self, reading: Reading, owner: int, rare: float) -> tuple[float, str]:
        """How likely the answer names what only others' prompts have; and what. The request's own details are remembered."""
        memory, salt = self._memory, crc32(reading.trace.service.encode("utf-8", "replace"))
        found = ""
        for name in _named(reading):
            detail = memory.details.get(crc32(name.encode("utf-8", "replace")) ^ salt)
            if detail is not None and detail.of_others(owner) and detail.requests <= rare and not _told(name, reading):
                found = name
                break
        prompts = [reading.system, *(capped(m.content) for m in reading.trace.history[-MAX_PIECES:] if m.role in USERS)]
        given = {key for text in prompts if text for key in piece_of(text).once("details", _given)}
        for key in sorted(given)[:MAX_OF_REQUEST]:
            memory.give(key ^ salt, owner)
        return (LIKELY, f"names {found[:40]}, whom only other requests know") if found else (UNLIKELY, "")


def _earlier(history: tuple[Message, ...]) -> Iterator[tuple[str, str]]:
    """The turns before the last question that are long enough to be recognised, as they are and as words."""
    last = max((i for i, m in enumerate(history) if m.role in USERS), default=0)
    for message in history[:last][-MAX_PIECES:]:
        if message.role != "tool" and message.content:
            tokens = piece_of(capped(message.content)).tokens
            if len(tokens) >= MIN_TURN:
                yield message.content, " ".join(tokens)


def _given(text: str) -> tuple[int, ...]:
    """Hashes of the names and references in a prompt; a name that only begins sentences may be any word."""
    return tuple([crc32(name.encode("utf-8", "replace")) for name in _details_in(text, addressed=False)])


def _details_in(text: str, addressed: bool) -> list[str]:
    """Names within sentences and references, each once; with `addressed` also a name and comma with which a sentence begins."""
    found = []
    before = "."
    for token in text.split():
        if token[0].isupper():
            # Possessives and what is joined by a hyphen: the name itself comes first.
            bare = token.strip(_AROUND)
            name = bare.partition("'")[0].partition("’")[0]
            inside = before[-1] in _INSIDE or before[-1].islower() or (addressed and token[-1] == ",")
            if (inside and len(name) > 2 and name[1:].islower()) or (len(bare) > 4 and sum(map(str.isdigit, bare)) > 3):
                found.append(name)
        before = token
    return list(dict.fromkeys(found))[:MAX_OF_REQUEST]


def _named(reading: Reading) -> list[str]:
    """Names and references in the answer, but for whom it greets; none in German, where every noun has a capital."""
    if reading.trace.dimensions.get("language", ("",))[0].startswith("de"):
        return []
    answer = reading.answer
    opening = answer[:40].lower().split()
    if opening and opening[0].strip(_AROUND) in _GREETINGS:
        answer = " ".join(answer.split()[3:])
    return _details_in(answer, addressed=True)


def _told(name: str, reading: Reading) -> bool:
    """Whether this request was given the name, in whatever case."""
    wanted = words(name)
    pieces = (*reading.background, *reading.evidence)
    return all(any(word in piece.kinds for piece in pieces) for word in wanted)


def _hashed(*parts: str) -> int:
    return int.from_bytes(blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=8).digest()) >> 1
