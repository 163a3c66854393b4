"""`Label`: what a person said of one score's subject: did this call fail, by this metric, or not?"""

import msgspec


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A person's judgement of one call. Labels are only ever added; of several for one call and metric the last one counts.

    Args:
        span_id: the call that was judged, as `Score.span_id` names it.
        failed: the call fails by `metric`.
        actor: who said so. time_ns: when.
    """

    trace_id: str
    span_id: str
    metric: str
    failed: bool
    actor: str
    time_ns: int
    service: str = ""
    note: str = ""
