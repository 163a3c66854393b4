"""Slows down who guesses passwords: by account and by address, in bounded memory."""

from collections import OrderedDict
from threading import Lock

import msgspec

from holdfast.core.clock import NS_PER_S, Clock
from holdfast.core.errors import BackpressureError


class ThrottlePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """After so many failures (`account_failures` of one account, `address_failures` from one address) a pause begins.

    It starts with `first_pause_s`, doubles with each further failure up to `longest_pause_s`; a failure is forgotten after
    `forget_s`. `remembered` names are kept, the least recent forgotten first.
    """

    account_failures: int = 5
    address_failures: int = 20
    first_pause_s: float = 5.0
    longest_pause_s: float = 900.0
    forget_s: float = 3600.0
    remembered: int = 10_000


class Throttle:
    """Counts failed logins of this process. Safe to use from several threads."""

    def __init__(self, clock: Clock, policy: ThrottlePolicy | None = None) -> None:
        self._clock = clock
        self._policy = policy or ThrottlePolicy()
        self._failures: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
        self._lock = Lock()

    def check(self, account: str, address: str) -> None:
        """Lets a try pass, or not yet.

        Raises:
            BackpressureError: wait so many seconds first.
        """
        with self._lock:
            wait_ns = max(self._wait_ns(key, limit) for key, limit in self._keys(account, address))
        if wait_ns > 0:
            seconds = -(-wait_ns // NS_PER_S)
            raise BackpressureError(f"too many failed logins: wait {seconds} s", float(seconds))

    def failed(self, account: str, address: str) -> bool:
        """Counts a failure; true when it is the one with which a pause of the account begins."""
        now = self._clock.now_ns()
        with self._lock:
            for key, _ in self._keys(account, address):
                count, _ = self._recent(key)
                self._failures[key] = (count + 1, now)
                self._failures.move_to_end(key)
            while len(self._failures) > self._policy.remembered:
                self._failures.popitem(last=False)
            return self._failures.get(("account", account), (0, 0))[0] == self._policy.account_failures

    def succeeded(self, account: str) -> None:
        """Forgets the account's failures; those of the address stay, so that one own account does not buy more guesses."""
        with self._lock:
            self._failures.pop(("account", account), None)

    def _keys(self, account: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
        policy = self._policy
        return (("account", account), policy.account_failures), (("address", address), policy.address_failures)

    def _recent(self, key: tuple[str, str]) -> tuple[int, int]:
        count, last_ns = self._failures.get(key, (0, 0))
        return (0, 0) if self._clock.now_ns() - last_ns > self._policy.forget_s * NS_PER_S else (count, last_ns)

    def _wait_ns(self, key: tuple[str, str], limit: int) -> int:
        count, last_ns = self._recent(key)
        if count < limit:
            return 0
        policy = self._policy
        pause_s = min(policy.first_pause_s * 2.0 ** min(count - limit, 30), policy.longest_pause_s)
        return last_ns + int(pause_s * NS_PER_S) - self._clock.now_ns()
