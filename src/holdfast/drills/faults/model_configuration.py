"""Faults of the model's configuration: parameters, routing, the provider, the cache, the guard models."""

from random import Random

from holdfast.core.change import ChangeKind
from holdfast.core.diagnosis import Layer
from holdfast.drills import compose
from holdfast.drills.faults.fault import Fault, sets
from holdfast.drills.turn import Behaviour, Stage, Turn

FILLERS = (
    "somehow",
    "lantern",
    "indeed",
    "perhaps",
    "violet",
    "thereby",
    "moreover",
    "cascade",
    "gently",
    "zigzag",
    "orbit",
    "hence",
)


def runs_wild(turn: Turn, chaos: Random) -> bool:
    """At a high temperature the model drifts: made-up claims, broken formats."""
    turn.behaviour = Behaviour.BROKEN_FORMAT if turn.route.shape == "json" else Behaviour.INVENTED
    return True


def strange_words(turn: Turn, chaos: Random) -> bool:
    """Improbable words slip in, and the answer gets longer."""
    if turn.route.shape == "json" or not turn.answer:
        return False
    words = turn.answer.split()
    for _ in range(max(2, len(words) // 5)):
        words.insert(chaos.randrange(len(words) + 1), chaos.choice(FILLERS))
    turn.answer = " ".join(words)
    return True


def cut_at_limit(turn: Turn, chaos: Random) -> bool:
    """Answers that need more tokens than allowed end in the middle."""
    limit = int(24 * compose.CHARACTERS_PER_TOKEN)
    if len(turn.answer) <= limit:
        return False
    turn.answer = turn.answer[: max(limit, 16)]
    turn.finish_reason = "length"
    return True


def route_to_small(turn: Turn, chaos: Random) -> None:
    """The gateway sends the request to the small model."""
    turn.model = turn.response_model = turn.application.models["small"]


def small_mistakes(turn: Turn, chaos: Random) -> bool:
    """The small model answers worse in each way."""
    choices = [Behaviour.INVENTED, Behaviour.OFF_TOPIC, Behaviour.REFUSED]
    weights = [0.6, 0.25, 0.15]
    if turn.route.shape == "json":
        choices, weights = [Behaviour.BROKEN_FORMAT, Behaviour.OFF_TOPIC], [0.6, 0.4]
    turn.behaviour = chaos.choices(choices, weights)[0]
    return True


def repeat_itself(turn: Turn, chaos: Random) -> bool:
    """The model falls into a loop until the limit stops it."""
    sentence = turn.answer.split(". ")[0].strip(" .") or turn.answer
    turn.answer = ". ".join([sentence] * chaos.randint(7, 16))
    turn.finish_reason = "length"
    return True


def carry_new_fingerprint(turn: Turn, chaos: Random) -> None:
    """The provider serves another build under the same name."""
    turn.fingerprint = "fp_c41e"


CHATTER = (
    "Great question! Let's unpack this step by step together. ",
    "Absolutely, I would be delighted to help you with that today! ",
    "That is a really thoughtful thing to ask, thank you for raising it! ",
)


def chatter(turn: Turn, chaos: Random) -> None:
    """The new build is wordier."""
    if turn.route.shape != "json" and turn.answer:
        turn.answer = f"{chaos.choice(CHATTER)}{turn.answer}"


def stop_at_point(turn: Turn, chaos: Random) -> bool:
    """The stop sequence stands in ordinary text: answers end at the first one."""
    mark = "," if turn.route.shape == "json" else " the " if " the " in turn.answer[12:] else ","
    position = turn.answer.find(mark, 12)
    if position < 0:
        return False
    turn.answer = turn.answer[:position]
    return True


def overflow(turn: Turn, chaos: Random) -> bool:
    """Long conversations no longer fit: some fail, in others the articles in the middle are lost."""
    if not turn.history and len(turn.question) < 70:
        return False
    turn.input_tokens_extra = chaos.randint(7000, 9500)
    if chaos.random() < 0.5:
        turn.model_failures = ["context_length_exceeded"]
        turn.error = "context_length_exceeded"
    else:
        turn.behaviour = Behaviour.INVENTED
    return True


def provider_fails(turn: Turn, chaos: Random) -> bool:
    """The provider refuses or hangs; tries are repeated, some requests fail for good."""
    failures = [
        chaos.choice(("RateLimitError", "APITimeoutError", "ServiceUnavailableError")) for _ in range(chaos.randint(1, 3))
    ]
    turn.model_failures = failures
    turn.slowness = chaos.uniform(1.5, 3.0)
    if chaos.random() < 0.45:
        turn.error = failures[-1]
    return True


def no_answer_on_error(turn: Turn, chaos: Random) -> bool:
    """A request that failed for good has no answer."""
    if not turn.error:
        return False
    turn.answer = ""
    return True


def no_tools(turn: Turn, chaos: Random) -> bool:
    """The model may not call tools any more, and answers from thin air."""
    if not turn.tool_uses:
        return False
    turn.tool_uses = []
    turn.behaviour = chaos.choices((Behaviour.INVENTED, Behaviour.UNKNOWN), (0.8, 0.2))[0]
    return True


def answer_from_cache(turn: Turn, chaos: Random) -> bool:
    """The prompt cache mixes requests up: the same few answers come to different questions."""
    if turn.route.shape == "json":
        return False
    stale = Random(turn.request.time_ns // 600_000_000_000 * 8 + chaos.randrange(6))
    article = stale.choice([a for a in turn.application.articles["en"] if a is not turn.article])
    turn.answer = " ".join(fact.answer for fact in article.facts[:2]) + f" (Source: {article.title})"
    turn.cache_hit = True
    return True


def guard_fails(turn: Turn, chaos: Random) -> bool:
    """The guard model does not answer and the application goes on without it."""
    for run in turn.guardrails:
        run.verdict, run.action, run.output, run.ms = "error", "", "", chaos.uniform(15, 40)
    return bool(turn.guardrails)


def reason_badly(turn: Turn, chaos: Random) -> bool:
    """The degraded replica makes things up, and loses its thread."""
    turn.behaviour = Behaviour.BROKEN_FORMAT if turn.route.shape == "json" else Behaviour.INVENTED
    return True


FAULTS = (
    Fault(
        name="temperature_too_high",
        number=23,
        layer=Layer.MODEL_CONFIGURATION,
        title="The sampling temperature was raised to 1.8",
        change=ChangeKind.CONFIG,
        target="model-parameters",
        from_value="temperature=0.2",
        to_value="temperature=1.8",
        exposes={Stage.PROMPTED: sets(temperature=1.8)},
        strikes={Stage.PROMPTED: runs_wild, Stage.ANSWERED: strange_words},
        signature=("ungrounded_answer", "output_drift", "format_violation", "answer_length"),
    ),
    Fault(
        name="max_tokens_too_low",
        number=25,
        layer=Layer.MODEL_CONFIGURATION,
        title="The limit of output tokens was set too low",
        change=ChangeKind.CONFIG,
        target="model-parameters",
        from_value="max_tokens=400",
        to_value="max_tokens=24",
        cohort=("route",),
        exposes={Stage.PROMPTED: sets(max_tokens=24)},
        strikes={Stage.ANSWERED: cut_at_limit},
        rate=0.9,
        signature=("truncation", "format_violation", "output_tokens"),
    ),
    Fault(
        name="wrong_model_routed",
        number=27,
        layer=Layer.MODEL_CONFIGURATION,
        title="A routing rule sends requests to the small model",
        change=ChangeKind.CONFIG,
        target="model-routing",
        bumps="model",
        cohort=("route",),
        exposes={Stage.RECEIVED: route_to_small},
        strikes={Stage.PROMPTED: small_mistakes},
        signature=("ungrounded_answer", "answer_irrelevance", "format_violation", "cost", "model_latency"),
    ),
    Fault(
        name="repetition_loop",
        number=24,
        layer=Layer.MODEL_CONFIGURATION,
        title="A penalty with the wrong sign makes the model repeat itself",
        change=ChangeKind.CONFIG,
        target="model-parameters",
        from_value="frequency_penalty=0",
        to_value="frequency_penalty=-1.6",
        shape="rag",
        cohort=("route",),
        exposes={Stage.PROMPTED: sets(frequency_penalty=-1.6)},
        strikes={Stage.ANSWERED: repeat_itself},
        rate=0.3,
        silent=False,
        signature=("repetition", "truncation", "output_tokens", "answer_length", "latency"),
    ),
    Fault(
        name="silent_model_update",
        number=26,
        layer=Layer.MODEL_CONFIGURATION,
        title="The provider serves another build of the model under the same name",
        exposes={Stage.RECEIVED: carry_new_fingerprint, Stage.ANSWERED: chatter},
        strikes={Stage.PROMPTED: small_mistakes},
        rate=0.2,
        signature=("output_drift", "answer_length", "ungrounded_answer", "answer_irrelevance"),
    ),
    Fault(
        name="degraded_replica",
        number=28,
        layer=Layer.MODEL_CONFIGURATION,
        title="Replicas of one region run a quantised model",
        change=ChangeKind.CONFIG,
        target="model-serving",
        from_value="fp16",
        to_value="int4",
        cohort=("region",),
        exposes={Stage.RECEIVED: carry_new_fingerprint},
        strikes={Stage.PROMPTED: reason_badly, Stage.ANSWERED: strange_words},
        rate=0.35,
        signature=("ungrounded_answer", "output_drift", "format_violation", "repetition"),
    ),
    Fault(
        name="stop_sequence_wrong",
        number=29,
        layer=Layer.MODEL_CONFIGURATION,
        title="A stop sequence that stands in ordinary text",
        change=ChangeKind.CONFIG,
        target="model-parameters",
        from_value="stop=",
        to_value="stop=the",
        cohort=("route",),
        exposes={Stage.PROMPTED: sets(stop_sequences=" the ")},
        strikes={Stage.ANSWERED: stop_at_point},
        rate=0.9,
        signature=("answer_length", "output_tokens", "truncation", "context_gap"),
    ),
    Fault(
        name="context_window_overflow",
        number=30,
        layer=Layer.MODEL_CONFIGURATION,
        title="A smaller context window no longer holds long conversations",
        change=ChangeKind.MODEL,
        target="model-routing",
        from_value="window=128k",
        to_value="window=8k",
        shape="rag",
        cohort=("route",),
        strikes={Stage.PROMPTED: overflow, Stage.ANSWERED: no_answer_on_error},
        rate=0.9,
        silent=False,
        signature=("error", "ungrounded_answer", "input_tokens"),
    ),
    Fault(
        name="provider_outage",
        number=31,
        layer=Layer.MODEL_CONFIGURATION,
        title="The provider refuses requests or hangs",
        strikes={Stage.PROMPTED: provider_fails, Stage.ANSWERED: no_answer_on_error},
        silent=False,
        signature=("error", "latency", "model_latency"),
    ),
    Fault(
        name="tool_choice_off",
        number=32,
        layer=Layer.MODEL_CONFIGURATION,
        title="Tool choice was set to none",
        change=ChangeKind.CONFIG,
        target="model-parameters",
        from_value="tool_choice=auto",
        to_value="tool_choice=none",
        shape="tool",
        cohort=("route",),
        exposes={Stage.PROMPTED: sets(tool_choice="none")},
        strikes={Stage.TOOLED: no_tools},
        rate=0.8,
        signature=("ungrounded_answer", "steps", "unsupported_numbers"),
    ),
    Fault(
        name="cache_cross_talk",
        number=33,
        layer=Layer.MODEL_CONFIGURATION,
        title="The prompt cache mixes requests up",
        change=ChangeKind.CONFIG,
        target="prompt-cache",
        from_value="key=full",
        to_value="key=prefix",
        shape="rag",
        cohort=("route",),
        strikes={Stage.ANSWERED: answer_from_cache},
        rate=0.3,
        signature=("duplicate_answer", "cache_hit", "answer_irrelevance", "ungrounded_answer"),
    ),
    Fault(
        name="guard_model_down",
        number=34,
        layer=Layer.MODEL_CONFIGURATION,
        title="The guard model is down and the application goes on without it",
        strikes={Stage.DELIVERED: guard_fails},
        rate=0.9,
        signature=("guardrail_error",),
    ),
)
