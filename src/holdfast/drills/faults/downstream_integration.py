"""Faults of downstream integration: tools, consumers and feedback."""

from random import Random

import orjson

from holdfast.core.call import Message
from holdfast.core.change import ChangeKind
from holdfast.core.diagnosis import Layer
from holdfast.drills import compose
from holdfast.drills.faults.fault import Fault
from holdfast.drills.turn import Behaviour, Stage, ToolUse, Turn


def reject_schema(turn: Turn, chaos: Random) -> bool:
    """The tool now wants another argument: calls fail and are repeated, the answer has nothing to rest on."""
    if not turn.tool_uses:
        return False
    name = turn.tool_uses[-1].name
    message = orjson.dumps({"error": f"400: unknown field '{next(iter(turn.values))}', expected 'reference'"}).decode()
    failed = [
        ToolUse(name, turn.tool_uses[-1].arguments, message, chaos.uniform(30, 90), "ValidationError")
        for _ in range(chaos.randint(1, 3))
    ]
    turn.tool_uses = failed
    turn.behaviour = chaos.choices((Behaviour.UNKNOWN, Behaviour.INVENTED), (0.6, 0.4))[0]
    return True


def time_out(turn: Turn, chaos: Random) -> bool:
    """The tool does not answer in time and returns an empty result as if all was well; the model invents one."""
    if not turn.tool_uses:
        return False
    use = turn.tool_uses[-1]
    use.result = chaos.choice(('{"status": "timeout", "data": null}', "{}", '{"data": null}'))
    use.ms = chaos.uniform(4900, 5100)
    turn.behaviour = Behaviour.INVENTED
    return True


def loop(turn: Turn, chaos: Random) -> bool:
    """The agent calls the same tool again and again."""
    if not turn.tool_uses:
        return False
    use = turn.tool_uses[-1]
    turn.tool_uses += [
        ToolUse(use.name, use.arguments, use.result, chaos.lognormvariate(4.8, 0.5)) for _ in range(chaos.randint(5, 11))
    ]
    if chaos.random() < 0.4:
        turn.behaviour = Behaviour.UNKNOWN
    return True


def stale_values(turn: Turn, chaos: Random) -> bool:
    """The tool answers with success and yesterday's data, against what the user was told before."""
    if not turn.tool_uses or turn.tool is None:
        return False
    said = turn.tool.answers[0].format_map(turn.values)
    turn.values = compose.misremembered(turn, turn.tool, chaos)
    turn.tool_uses[-1].result = compose.result_of(turn, turn.tool)
    if chaos.random() < 0.4:
        turn.history = [Message("user", turn.question), Message("assistant", said)]
    return True


def wrong_arguments(turn: Turn, chaos: Random) -> bool:
    """The adapter passes another id on: the tool finds nothing, or somebody else's data."""
    if not turn.tool_uses or turn.tool is None:
        return False
    asked = dict(turn.values)
    name = next(iter(turn.tool.arguments))
    turn.values = compose.misremembered(turn, turn.tool, chaos)
    turn.values[name] = chaos.choice((asked[name].rpartition("-")[2], f"{asked[name]}-0", asked[name][::-1]))
    use = turn.tool_uses[-1]
    use.arguments = compose.arguments_of(turn, turn.tool)
    if chaos.random() < 0.6:
        use.error, use.result = "NotFoundError", orjson.dumps({"error": f"404: nothing found for {turn.values[name]}"}).decode()
        turn.behaviour = Behaviour.UNKNOWN
    else:
        use.result = compose.result_of(turn, turn.tool)
    return True


def consumer_refuses(turn: Turn, chaos: Random) -> bool:
    """The consumer's new parser refuses what it took before."""
    if not turn.consumer_uses or turn.consumer_uses[-1].error:
        return False
    use = turn.consumer_uses[-1]
    use.error, use.result = "ParseError", '{"error": "422: property names must be upper case"}'
    turn.harmed = True
    return True


UNAPPROVED = (
    ("issue_refund", '{{"reference": "{id}", "amount_eur": {amount}}}', '{{"paid": true}}'),
    ("delete_account", '{{"reference": "{id}"}}', '{{"deleted": true}}'),
    ("change_address", '{{"reference": "{id}", "address": "12 Example Row"}}', '{{"changed": true}}'),
)


def act_beyond_rights(turn: Turn, chaos: Random) -> bool:
    """The agent calls a tool that nobody asked for and that it should not be able to call."""
    if not turn.tool_uses:
        return False
    name, arguments, result = chaos.choice(UNAPPROVED)
    filled = arguments.format(id=next(iter(turn.values.values())), amount=chaos.randint(20, 400))
    turn.tool_uses.append(ToolUse(name, filled, result.format(), chaos.lognormvariate(4.8, 0.4)))
    turn.harmed = True
    return True


def offer_more(turn: Turn, chaos: Random) -> None:
    """All tools are offered to the model, the dangerous ones too."""
    turn.offered_tools = (*turn.offered_tools, *(name for name, _, _ in UNAPPROVED))


def rate_limited(turn: Turn, chaos: Random) -> bool:
    """The limiter in front of tools refuses calls: retries, queues, and answers without the tool's result."""
    if not turn.tool_uses:
        return False
    use = turn.tool_uses[-1]
    refused = '{"error": "429: too many requests"}'
    turn.tool_uses = [
        ToolUse(use.name, use.arguments, refused, chaos.uniform(400, 1800), "RateLimitError") for _ in range(chaos.randint(2, 4))
    ]
    turn.wait_ms = chaos.uniform(1500, 5000)
    if chaos.random() < 0.4:
        turn.tool_uses.append(use)
    else:
        turn.behaviour = Behaviour.UNKNOWN
    return True


def flip_feedback(turn: Turn, chaos: Random) -> bool:
    """The feedback form's scale was turned round."""
    if turn.feedback is None:
        return False
    turn.feedback = 1.0 - turn.feedback
    return True


FAULTS = (
    Fault(
        name="tool_schema_change",
        number=44,
        layer=Layer.DOWNSTREAM_INTEGRATION,
        title="A tool's interface changed and refuses the old arguments",
        change=ChangeKind.TOOL,
        target="tool",
        shape="tool",
        cohort=("tool",),
        strikes={Stage.TOOLED: reject_schema},
        rate=0.6,
        silent=False,
        signature=("tool_error", "repeated_call", "refusal", "tool_contradiction"),
    ),
    Fault(
        name="tool_timeout_invention",
        number=46,
        layer=Layer.DOWNSTREAM_INTEGRATION,
        title="A tool times out with an empty result and the model invents one",
        change=ChangeKind.CODE,
        target="tool-proxy",
        shape="tool",
        cohort=("tool",),
        strikes={Stage.TOOLED: time_out},
        silent=False,
        signature=("tool_contradiction", "ungrounded_answer", "latency"),
    ),
    Fault(
        name="agent_loop",
        number=47,
        layer=Layer.DOWNSTREAM_INTEGRATION,
        title="The agent repeats a tool call over and over",
        change=ChangeKind.CODE,
        target="agent-runtime",
        shape="tool",
        cohort=("route",),
        strikes={Stage.TOOLED: loop},
        rate=0.3,
        silent=False,
        signature=("tool_loop", "repeated_call", "steps", "cost", "latency"),
    ),
    Fault(
        name="tool_stale_data",
        number=45,
        layer=Layer.DOWNSTREAM_INTEGRATION,
        title="A tool answers with old data and no error",
        change=ChangeKind.DATA,
        target="replica-lag",
        shape="tool",
        cohort=("tool",),
        strikes={Stage.TOOLED: stale_values},
        rate=0.7,
        signature=("negative_feedback", "tool_contradiction"),
    ),
    Fault(
        name="wrong_tool_arguments",
        number=48,
        layer=Layer.DOWNSTREAM_INTEGRATION,
        title="An adapter passes wrong ids to a tool",
        change=ChangeKind.CODE,
        target="tool-adapter",
        shape="tool",
        cohort=("tool",),
        strikes={Stage.TOOLED: wrong_arguments},
        rate=0.55,
        silent=False,
        signature=("tool_error", "tool_arguments_invalid", "refusal", "answer_irrelevance"),
    ),
    Fault(
        name="consumer_parser_change",
        number=49,
        layer=Layer.DOWNSTREAM_INTEGRATION,
        title="The consumer's new parser refuses what it took before",
        change=ChangeKind.CODE,
        target="ticket-consumer",
        shape="json",
        cohort=("route",),
        strikes={Stage.FINISHED: consumer_refuses},
        rate=0.6,
        silent=False,
        signature=("tool_error",),
    ),
    Fault(
        name="excess_permission",
        number=50,
        layer=Layer.DOWNSTREAM_INTEGRATION,
        title="The agent may call tools that it should not",
        change=ChangeKind.CONFIG,
        target="tool-permissions",
        from_value="read-only",
        to_value="all",
        shape="tool",
        cohort=("route",),
        exposes={Stage.TOOLED: offer_more},
        strikes={Stage.TOOLED: act_beyond_rights},
        rate=0.25,
        signature=("steps", "policy_violation"),
    ),
    Fault(
        name="rate_limit_cascade",
        number=51,
        layer=Layer.DOWNSTREAM_INTEGRATION,
        title="A limiter in front of the tools refuses calls",
        change=ChangeKind.CONFIG,
        target="tool-gateway",
        from_value="limit=200",
        to_value="limit=20",
        shape="tool",
        cohort=("route",),
        strikes={Stage.TOOLED: rate_limited},
        rate=0.5,
        silent=False,
        signature=("tool_error", "latency", "repeated_call", "refusal"),
    ),
    Fault(
        name="feedback_pipeline_broken",
        number=52,
        layer=Layer.DOWNSTREAM_INTEGRATION,
        title="The scale of the feedback form was turned round",
        change=ChangeKind.CODE,
        target="feedback-form",
        strikes={Stage.FINISHED: flip_feedback},
        rate=1.0,
        signature=("negative_feedback",),
    ),
)
