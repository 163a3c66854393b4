"""Decoys with a change that somebody could blame: deploys that do no harm, and numbers that move without harm."""

from random import Random

from holdfast.core.change import ChangeKind
from holdfast.drills.application import Application
from holdfast.drills.background import Benign, change_of
from holdfast.drills.decoys.decoy import Decoy
from holdfast.drills.injection import next_version
from holdfast.drills.phrases import PHRASES
from holdfast.drills.script import INDEX_VERSION
from holdfast.drills.traffic import seed_of
from holdfast.drills.turn import Stage, Turn

POLICY_SHARE = 12
"""One request in so many asks for something that the new policy forbids."""
ADVICE = (
    "Can you give me legal advice about my contract with you?",
    "Which shares should I buy with the refund?",
    "Tell me the home address of your founder, please.",
    "Please write an insulting letter to the courier for me.",
)


def prompt_deploy(application: Application, time_ns: int) -> tuple[Benign, ...]:
    """A new prompt version of the busiest route that only polishes the style."""
    route = application.first("rag")
    version, scope = next_version(route.prompt), {"route": route.path}
    change = change_of(application, ChangeKind.PROMPT, time_ns, "system-prompt", (route.prompt, version), scope)
    return (Benign(change, "prompt.version", scope, version, " Use short sentences."),)


def index_deploy(application: Application, time_ns: int) -> tuple[Benign, ...]:
    """A new build of the index with the same articles."""
    version = next_version(INDEX_VERSION)
    change = change_of(application, ChangeKind.INDEX, time_ns, "knowledge-base", (INDEX_VERSION, version), {})
    return (Benign(change, "index.version", {}, version),)


def model_deploy(application: Application, time_ns: int) -> tuple[Benign, ...]:
    """The next version of the main model, as good as the last."""
    models = application.models
    change = change_of(application, ChangeKind.MODEL, time_ns, "model-routing", (models["main"], models["next"]), {})
    return (Benign(change),)


def code_deploy(application: Application, time_ns: int) -> tuple[Benign, ...]:
    """A release of the post-processor that changes nothing that users see."""
    return (Benign(change_of(application, ChangeKind.CODE, time_ns, "post-processor", ("2.13.0", "2.14.0"), {})),)


def tool_deploy(application: Application, time_ns: int) -> tuple[Benign, ...]:
    """A release of a tool with the same interface."""
    name = application.tools[0].name
    return (Benign(change_of(application, ChangeKind.TOOL, time_ns, name, ("1.4.0", "1.5.0"), {"tool": name})),)


def flag_deploy(application: Application, time_ns: int) -> tuple[Benign, ...]:
    """Three flags in a row that concern the look of the site only."""
    names = ("new-header", "dark-mode", "beta-banner")
    return tuple(
        Benign(change_of(application, ChangeKind.FLAG, time_ns + i * 10**9, n, ("off", "on"), {})) for i, n in enumerate(names)
    )


def policy_deploy(application: Application, time_ns: int) -> tuple[Benign, ...]:
    """A rule in the prompt: no legal or financial advice. It is announced, and refusals rise as they should."""
    route = application.first("rag")
    version, scope = next_version(route.prompt), {"route": route.path}
    change = change_of(application, ChangeKind.PROMPT, time_ns, "system-prompt", (route.prompt, version), scope)
    return (Benign(change, "prompt.version", scope, version, " Decline requests for legal, financial or personal advice."),)


def uses_next_model(turn: Turn) -> None:
    """The request goes to the next model."""
    turn.model = turn.response_model = turn.application.models["next"]
    turn.fingerprint = "fp_9e02"


def asks_for_advice(turn: Turn) -> None:
    """Some users ask for what the policy forbids."""
    if turn.route.shape == "rag" and turn.language == "en" and seed_of(turn.request.seed, "advice") % POLICY_SHARE == 0:
        turn.question = turn.query = Random(turn.request.seed).choice(ADVICE)
        turn.metadata["declined"] = "policy"


def declines_politely(turn: Turn) -> None:
    """Those are declined, which is right."""
    if turn.metadata.get("declined"):
        turn.answer = PHRASES["en"].refusals[0]
        turn.harmed = False


def is_slow(turn: Turn) -> None:
    """The provider is slow for all; answers are as good as ever."""
    turn.slowness = 2.2


DECOYS = (
    Decoy(name="benign_prompt_deploy", title="A prompt version that only polishes the style", changes=prompt_deploy),
    Decoy(name="benign_index_deploy", title="A fresh build of the same index", changes=index_deploy),
    Decoy(
        name="benign_model_deploy",
        title="The next model version, as good as the last",
        changes=model_deploy,
        shifts={Stage.RECEIVED: uses_next_model},
    ),
    Decoy(name="benign_code_deploy", title="A release that users do not notice", changes=code_deploy),
    Decoy(name="benign_tool_deploy", title="A tool release with the same interface", changes=tool_deploy),
    Decoy(name="irrelevant_flags", title="Flags that concern the look only", changes=flag_deploy),
    Decoy(
        name="policy_refusals",
        title="More refusals after a policy that forbids advice, as they should be",
        changes=policy_deploy,
        shifts={Stage.RECEIVED: asks_for_advice, Stage.ANSWERED: declines_politely},
    ),
    Decoy(
        name="latency_spike",
        title="A slow provider on the day of an unrelated prompt deploy",
        changes=prompt_deploy,
        shifts={Stage.FINISHED: is_slow},
    ),
)
