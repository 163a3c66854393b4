"""Every error that Holdfast raises on purpose.

HoldfastError
├── ConfigurationError    a setting is missing or wrong; names the key
├── InputError            input that cannot be used; names what and where (file and line, field)
│   └── TooLargeError     input over a size limit
├── StoreError            a store refused or lost something
│   ├── ConflictError     somebody else changed the row first
│   └── IntegrityError    the hash chain does not hold
├── NotFoundError         no such incident, call or change
├── TransitionError       an incident cannot go from this state to that one
├── UnavailableError      something outside of Holdfast did not answer, or not as it should
└── BackpressureError     full for now; carries the seconds after which to try again
"""


class HoldfastError(Exception):
    """Root of all errors raised on purpose."""


class ConfigurationError(HoldfastError):
    """A setting is missing or wrong. The message names the key."""


class InputError(HoldfastError):
    """Input that cannot be used.

    Args:
        message: what is wrong.
        where: file and line, or field path, such as ``traces.jsonl:17`` or ``resourceSpans[0].scopeSpans[1]``.
    """

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.where = where


class TooLargeError(InputError):
    """Input over a size limit."""


class StoreError(HoldfastError):
    """A store refused or lost something."""


class ConflictError(StoreError):
    """Somebody else changed the row first."""


class IntegrityError(StoreError):
    """The hash chain of the ledger does not hold."""


class NotFoundError(HoldfastError):
    """No such incident, call or change."""


class TransitionError(HoldfastError):
    """An incident cannot go from this state to that one."""


class UnavailableError(HoldfastError):
    """Something outside of Holdfast did not answer, or not as it should."""


class BackpressureError(HoldfastError):
    """Full for now: nothing was kept.

    Args:
        retry_after_s: seconds after which the sender should try again.
    """

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
