"""A finished `Turn` as the calls of one trace: what the application's instrumentation would have seen."""

from random import Random
from typing import Any

from holdfast.core.call import Call, Dimensions, Evaluation, Guardrail, Kind, Message, Status, ToolCall, Usage
from holdfast.core.clock import NS_PER_MS
from holdfast.drills.compose import CHARACTERS_PER_TOKEN, SCHEMA
from holdfast.drills.turn import GuardrailRun, ToolUse, Turn

PRICES = {
    "gpt-4.1": (2.0, 8.0),
    "gpt-4.1-nano": (0.1, 0.4),
    "gpt-4.1-2026-09": (2.0, 8.0),
    "claude-sonnet-4-5": (3.0, 15.0),
    "claude-haiku-4-5": (1.0, 5.0),
    "claude-sonnet-4-6": (3.0, 15.0),
    "mistral-large-2609": (2.0, 6.0),
    "mistral-large-latest": (2.0, 6.0),
    "mistral-small-latest": (0.1, 0.3),
}
"""US dollars per million input and output tokens."""
SMALL = ("nano", "haiku", "small", "mini")


class Render:
    """Lays the steps of one turn along time.

    Args:
        turn: a finished one; its random numbers are drawn on.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._rng: Random = turn.rng
        self._trace_id = f"{turn.rng.getrandbits(128) | 1:032x}"
        self._root_id = self._span_id()
        self._now = turn.request.time_ns
        self._calls: list[Call] = []
        self._dimensions: Dimensions = turn.dimensions

    def calls(self) -> tuple[Call, ...]:
        """Every call of the trace, the root first, then in order of start."""
        turn = self._turn
        self._advance(self._rng.uniform(0.5, 3.0))
        for run in turn.guardrails:
            if run.name == "input_check":
                self._guardrail(run)
        if turn.route.shape == "rag":
            self._retrieval()
        for number, use in enumerate(turn.tool_uses):
            self._model(self._tool_request(use, number))
            self._tool(use)
        for failure in turn.model_failures:
            self._model_failed(failure)
        if not turn.error or turn.answer:
            self._model(None)
            self._task("post_process", turn.answer, turn.delivered)
        for run in turn.guardrails:
            if run.name != "input_check":
                self._guardrail(run)
        for use in turn.consumer_uses:
            self._tool(use)
        return (self._root(), *self._calls)

    def _span_id(self) -> str:
        return f"{self._rng.getrandbits(64) | 1:016x}"

    def _advance(self, ms: float) -> tuple[int, int]:
        start = self._now
        self._now += max(int(ms * NS_PER_MS), 1)
        return start, self._now

    def _root(self) -> Call:
        turn = self._turn
        evaluations: tuple[Evaluation, ...] = ()
        if turn.feedback is not None:
            label = "thumbs_up" if turn.feedback else "thumbs_down"
            evaluations = (Evaluation("user_feedback", turn.feedback, label, annotator="HUMAN"),)
        end = self._now + int(self._rng.uniform(0.5, 4.0) * NS_PER_MS)
        return Call(
            trace_id=self._trace_id,
            span_id=self._root_id,
            name=turn.route.path.strip("/"),
            kind=Kind.AGENT if turn.route.shape == "tool" else Kind.WORKFLOW,
            start_ns=turn.request.time_ns,
            end_ns=end,
            status=Status.ERROR if turn.error else Status.UNSET,
            error_type=turn.error,
            error_message="the request failed" if turn.error else "",
            dimensions=self._dimensions,
            input_text=turn.question,
            output_text="" if turn.error else turn.delivered,
            conversation_id=turn.conversation,
            evaluations=evaluations,
            cache_hit=turn.cache_hit,
        )

    def _guardrail(self, run: GuardrailRun) -> None:
        start, end = self._advance(run.ms * self._rng.uniform(0.7, 1.5))
        failed = run.verdict == "error"
        self._add(
            name=run.name,
            kind=Kind.GUARDRAIL,
            start_ns=start,
            end_ns=end,
            status=Status.ERROR if failed else Status.UNSET,
            error_type="ConnectionError" if failed else "",
            error_message="guard model did not answer" if failed else "",
            input_text=run.text,
            output_text=run.output,
            guardrails=(Guardrail(run.name, run.verdict, run.action, None if failed else round(run.score, 4)),),
        )

    def _retrieval(self) -> None:
        turn = self._turn
        start, end = self._advance(turn.retrieval_ms)
        self._add(
            name="search_articles",
            kind=Kind.RETRIEVAL,
            start_ns=start,
            end_ns=end,
            status=Status.ERROR if turn.retrieval_error else Status.UNSET,
            error_type=turn.retrieval_error,
            error_message="the index did not answer" if turn.retrieval_error else "",
            input_text=turn.query,
            documents=tuple(turn.documents),
        )

    def _tool_request(self, use: ToolUse, number: int) -> ToolCall:
        return ToolCall(use.name, use.arguments, f"call_{number}_{self._rng.getrandbits(24):06x}")

    def _messages(self) -> tuple[Message, ...]:
        turn = self._turn
        messages = [*turn.few_shot, *turn.history, Message("user", turn.question)]
        for done in self._calls:
            if done.kind is Kind.LLM and done.output_messages and done.output_messages[0].tool_calls:
                messages += [done.output_messages[0]]
            elif done.kind is Kind.TOOL:
                messages.append(
                    Message("tool", done.tool_result or done.error_message, (), _last_call_id(messages), done.tool_name)
                )
        return tuple(messages)

    def _model(self, request: ToolCall | None) -> None:
        """One model call: a request for a tool, or the answer."""
        turn, rng = self._turn, self._rng
        messages, system = self._messages(), turn.system_prompt
        written = request.arguments if request else turn.answer
        used = sum(len(m.content) + 12 for m in messages) + len(system)
        usage = Usage(
            int(used / CHARACTERS_PER_TOKEN) + turn.input_tokens_extra, max(int(len(written) / CHARACTERS_PER_TOKEN), 1)
        )
        first_ms, total_ms = self._model_times(usage)
        start, end = self._advance(total_ms)
        output = Message("assistant", "" if request else written, (request,) if request else ())
        as_json = turn.route.shape == "json"
        self._add(
            **self._model_identity(),
            start_ns=start,
            end_ns=end,
            response_model=turn.response_model,
            response_id=f"resp_{rng.getrandbits(48):012x}",
            system_fingerprint=turn.fingerprint,
            output_type="json" if as_json else "",
            output_schema=SCHEMA if as_json else "",
            system_instructions=system,
            input_messages=messages,
            output_messages=(output,),
            finish_reasons=("tool_calls" if request else turn.finish_reason,),
            prompt_template=turn.system,
            prompt_variables={k: v for k, v in turn.variables.items() if k not in ("context", "canary", "categories", "company")},
            tool_definitions=turn.offered_tools,
            usage=usage,
            cost_usd=cost(turn.response_model, usage),
            time_to_first_token_ms=round(first_ms, 1),
            cache_hit=turn.cache_hit if request is None else None,
        )

    def _model_identity(self) -> dict[str, Any]:
        turn = self._turn
        return {
            "name": f"chat {turn.model}",
            "kind": Kind.LLM,
            "provider": turn.application.provider,
            "request_model": turn.model,
            "parameters": turn.parameters,
            "conversation_id": turn.conversation,
        }

    def _model_times(self, usage: Usage) -> tuple[float, float]:
        """Milliseconds to the first token and to the last: log-normal, longer texts take longer, small models are faster."""
        turn = self._turn
        speed = (0.5 if any(word in turn.response_model for word in SMALL) else 1.0) * turn.slowness
        first = self._rng.lognormvariate(5.9, 0.35) * speed + turn.wait_ms
        total = first + (usage.output_tokens or 0) * self._rng.lognormvariate(2.6, 0.2) * speed
        return (4.0, 6.0) if turn.cache_hit else (first, total)

    def _model_failed(self, error: str) -> None:
        timeout = "timeout" in error.lower()
        start, end = self._advance(self._rng.uniform(8000, 12000) if timeout else self._rng.uniform(60, 240))
        self._add(
            **self._model_identity(),
            start_ns=start,
            end_ns=end,
            status=Status.ERROR,
            error_type=error,
            error_message="the provider did not answer in time" if timeout else "the provider refused the request",
            system_instructions=self._turn.system_prompt,
            input_messages=self._messages(),
        )

    def _tool(self, use: ToolUse) -> None:
        start, end = self._advance(use.ms)
        self._add(
            name=use.name,
            kind=Kind.TOOL,
            start_ns=start,
            end_ns=end,
            status=Status.ERROR if use.error else Status.UNSET,
            error_type=use.error,
            error_message=use.result if use.error else "",
            tool_name=use.name,
            tool_arguments=use.arguments,
            tool_result=use.result,
        )

    def _task(self, name: str, given: str, made: str) -> None:
        start, end = self._advance(self._rng.uniform(0.8, 4.0))
        self._add(name=name, kind=Kind.TASK, start_ns=start, end_ns=end, input_text=given, output_text=made)

    def _add(self, **fields: Any) -> None:
        call = Call(
            trace_id=self._trace_id,
            span_id=self._span_id(),
            parent_span_id=self._root_id,
            dimensions=self._dimensions,
            **fields,
        )
        self._calls.append(call)


def _last_call_id(messages: list[Message]) -> str:
    for message in reversed(messages):
        if message.tool_calls:
            return message.tool_calls[0].id
    return ""


def cost(model: str, usage: Usage) -> float | None:
    """US dollars of one call; None for a model without a price."""
    price = PRICES.get(model)
    if price is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    return round((usage.input_tokens * price[0] + usage.output_tokens * price[1]) / 1e6, 8)
