"""`Memory`: answers by content, so that the same question is not paid for twice."""

import hashlib
import threading
from collections import OrderedDict

import msgspec

from holdfast.score.external.scorer import Answer
from holdfast.score.external.selection import Texts


def content_key(texts: Texts) -> bytes:
    """A hash of the texts by name; 32 bytes."""
    told = msgspec.json.encode([(name, text.encode("utf-8", "surrogatepass")) for name, text in texts.items()])
    return hashlib.sha256(told).digest()


class Memory:
    """The `size` answers that were used last. Safe to use from several threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[bytes, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._known)

    def get(self, key: bytes) -> Answer | None:
        """The answer, which now costs nothing; None where it is not known."""
        with self._lock:
            answer = self._known.get(key)
            if answer is None:
                return None
            self._known.move_to_end(key)
        return msgspec.structs.replace(answer, cost_usd=0.0) if answer.cost_usd is not None else answer

    def put(self, key: bytes, answer: Answer) -> None:
        """Keeps an answer, and lets go of the one that was not used for longest."""
        with self._lock:
            self._known[key] = answer
            self._known.move_to_end(key)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
