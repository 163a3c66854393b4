"""Under which model's name a call counts that got no answer."""

from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from holdfast.core.call import Call

MAX_NAMES = 10_000
"""Pairs of application and asked name that are remembered, those of longest ago forgotten first."""


class ServedModels:
    """What answered last where a name was asked for.

    Providers answer ``gpt-4o`` as ``gpt-4o-2024-08-06``. A call that failed knows the first name only: under it there would be
    failures and nothing else, and the name would look like the cause of them. Nothing of this survives a restart; until the first
    answer a failed call keeps the name that it asked for.
    """

    def __init__(self) -> None:
        self._served: OrderedDict[tuple[str, str], str] = OrderedDict()

    def named(self, calls: Iterable[Call]) -> list[Call]:
        """The same calls; those without an answering model have the `model` that answered last in their application, if any."""
        found = list(calls)
        for call in found:
            if call.request_model and call.response_model:
                key = call.service, call.request_model
                self._served[key] = call.response_model
                self._served.move_to_end(key)
        while len(self._served) > MAX_NAMES:
            self._served.popitem(last=False)
        return [self._renamed(call) if call.request_model and not call.response_model else call for call in found]

    def _renamed(self, call: Call) -> Call:
        served = self._served.get((call.service, call.request_model), "")
        if not served or served == call.request_model or "model" not in call.dimensions:
            return call
        return msgspec.structs.replace(call, dimensions=call.dimensions | {"model": (served,)})
