"""`Turn`: one request while the application works on it. The script fills it in; faults reach into it between stages."""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from holdfast.core.call import Document, Message
from holdfast.core.errors import NotFoundError
from holdfast.drills.application import Application, Article, Fact, Route, Tool
from holdfast.drills.traffic import Request


class Stage(StrEnum):
    """Moments at which a fault can reach in, in order; each is named for what has just happened."""

    RECEIVED = "received"
    RETRIEVED = "retrieved"
    PROMPTED = "prompted"
    TOOLED = "tooled"
    ANSWERED = "answered"
    DELIVERED = "delivered"
    FINISHED = "finished"


class Behaviour(StrEnum):
    """What the model does with the prompt. Everything but GROUNDED is a bad answer."""

    GROUNDED = "grounded"
    INVENTED = "invented"
    OFF_TOPIC = "off_topic"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    BROKEN_FORMAT = "broken_format"
    CUT_SHORT = "cut_short"


@dataclass(slots=True)
class ToolUse:
    """One tool call. `arguments` and `result` are JSON text; `error` is an error type, empty when it went well."""

    name: str
    arguments: str
    result: str = ""
    ms: float = 120.0
    error: str = ""


@dataclass(slots=True)
class GuardrailRun:
    """One guardrail: what it read, its verdict (allow, deny, modify, error) and what it let through."""

    name: str
    verdict: str = "allow"
    action: str = ""
    score: float = 0.02
    text: str = ""
    output: str = ""
    ms: float = 18.0


@dataclass(slots=True)
class Turn:
    """One request and everything that happened to it so far. Texts are final only after `Stage.FINISHED`."""

    request: Request
    application: Application
    route: Route
    rng: Random
    language: str
    prompt_version: str
    index_version: str
    model: str
    response_model: str
    region: str
    replica: str

    question: str = ""
    query: str = ""
    article: Article | None = None
    fact: Fact | None = None
    tool: Tool | None = None
    values: dict[str, str] = field(default_factory=dict)
    """Values of the tool's arguments and result by name, as the tool really returned them."""
    history: list[Message] = field(default_factory=list)
    conversation: str = ""
    category: str = ""
    few_shot: list[Message] = field(default_factory=list)

    system: str = ""
    """The prompt template of the route, before its variables are filled in."""
    variables: dict[str, str] = field(default_factory=dict)
    rendered_system: str | None = None
    """Set to force the system prompt; else it is the filled-in template."""
    parameters: dict[str, float | int | str | bool] = field(default_factory=dict)
    fingerprint: str = "fp_5a1c"

    documents: list[Document] = field(default_factory=list)
    retrieval_error: str = ""
    retrieval_ms: float = 40.0
    index_age_days: float = 1.0

    offered_tools: tuple[str, ...] = ()
    tool_uses: list[ToolUse] = field(default_factory=list)
    consumer_uses: list[ToolUse] = field(default_factory=list)

    behaviour: Behaviour = Behaviour.GROUNDED
    answer: str = ""
    finish_reason: str = "stop"
    model_failures: list[str] = field(default_factory=list)
    """Error types of attempts before the one that answered."""
    input_tokens_extra: int = 0
    cache_hit: bool | None = None
    slowness: float = 1.0
    """Factor on the time that the model takes."""
    wait_ms: float = 0.0
    """Time lost in queues before the model answers."""

    guardrails: list[GuardrailRun] = field(default_factory=list)
    delivered: str = ""
    error: str = ""
    """Error type of the request as a whole."""
    feedback: float | None = None
    """1 thumbs up, 0 thumbs down, None when the user said nothing."""
    harmed: bool = False
    """The user was served something bad, by a fault or as happens in healthy traffic."""
    metadata: dict[str, str] = field(default_factory=dict)
    scope: dict[str, str] = field(default_factory=dict)
    """What the fault that is reaching in just now is limited to."""
    struck: set[str] = field(default_factory=set)
    """Names of the faults that did harm here: the ground truth."""

    @property
    def asked(self) -> tuple[Article, Fact]:
        """The article and the fact in it that answer the question.

        Raises:
            NotFoundError: the question is for a tool.
        """
        if self.article is None or self.fact is None:
            raise NotFoundError("this request asks for a tool, not for an article")
        return self.article, self.fact

    @property
    def sources(self) -> tuple[str, ...]:
        """Document sources of what was retrieved."""
        return tuple(dict.fromkeys(document.source for document in self.documents if document.source))

    @property
    def dimensions(self) -> dict[str, tuple[str, ...]]:
        """Dimensions of the request, by the names of `holdfast.core.call.DIMENSIONS`."""
        found = {
            "service.name": (self.application.service,),
            "route": (self.route.path,),
            "model": (self.response_model,),
            "prompt.version": (self.prompt_version,),
            "index.version": (self.index_version,) if self.route.shape == "rag" else (),
            "tool": tuple(dict.fromkeys(use.name for use in [*self.tool_uses, *self.consumer_uses])),
            "tenant": (self.request.user.tenant,),
            "region": (self.region,),
            "language": (self.language,),
            "document.source": self.sources,
            "user": (self.request.user.id,),
        }
        return {name: values for name, values in found.items() if values}

    def matches(self, cohort: dict[str, str]) -> bool:
        """Whether this request lies in the conjunction `cohort`, as far as is known at this stage."""
        dimensions = self.dimensions
        return all(value in dimensions.get(name, ()) for name, value in cohort.items())

    @property
    def system_prompt(self) -> str:
        """The system prompt as the model gets it."""
        if self.rendered_system is not None:
            return self.rendered_system
        text = self.system
        for name, value in self.variables.items():
            text = text.replace("{" + name + "}", value)
        return text
