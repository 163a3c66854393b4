"""A raw log record becomes an evaluation or content of a call; other logs are not ours to keep."""

from holdfast.core.call import EvaluationRecord
from holdfast.core.errors import InputError
from holdfast.ingest.otlp.content_events import NAMES, content_of
from holdfast.ingest.otlp.dimensions import service_of
from holdfast.ingest.otlp.judgements import genai_evaluation
from holdfast.ingest.otlp.raw import Attributes, RawLog
from holdfast.ingest.otlp.span_events import event_feedback
from holdfast.ingest.record import MessageRecord

EVALUATION = "gen_ai.evaluation.result"


def map_log(log: RawLog) -> EvaluationRecord | MessageRecord | None:
    """The record that a log record is; None where it is no GenAI log.

    Raises:
        InputError: a GenAI log that cannot be used, such as an evaluation whose score is NaN.
    """
    attributes = {**log.attributes, **log.body} if isinstance(log.body, dict) else log.attributes
    name = log.event_name or str(attributes.get("event.name") or "")
    if name == EVALUATION or (not name and "gen_ai.evaluation.name" in attributes):
        evaluation = genai_evaluation(attributes)
    elif "feedback" in name.lower():
        said = event_feedback(attributes)
        if said is None:
            raise InputError("feedback event holds no feedback")
        evaluation = said
    else:
        return _content(log, name)
    return EvaluationRecord(
        time_ns=log.time_ns,
        evaluation=evaluation,
        trace_id=log.trace_id,
        span_id=log.span_id,
        response_id=_response_id(attributes),
        service=service_of(log.resource),
    )


def _response_id(attributes: Attributes) -> str:
    return str(attributes.get("gen_ai.response.id") or "")


def _content(log: RawLog, name: str) -> MessageRecord | None:
    if name not in NAMES:
        return None
    response_id = _response_id(log.attributes)
    if not log.span_id and not response_id:
        raise InputError("message event refers neither to a span nor to a response id")
    content = content_of(name, log.attributes, log.body)
    return MessageRecord(
        time_ns=log.time_ns,
        trace_id=log.trace_id,
        span_id=log.span_id,
        response_id=response_id,
        service=service_of(log.resource),
        system_instructions=content.system_instructions,
        input_messages=content.input_messages,
        output_messages=content.output_messages,
        finish_reasons=content.finish_reasons,
        tool_definitions=content.tool_definitions,
    )
