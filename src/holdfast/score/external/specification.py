"""`[scorers.NAME]` of the configuration: what a scorer of the user's is, as checked values."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator

from holdfast.core.score import Direction, Family, Metric, Unit

Text = Literal["question", "answer", "context", "system"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Variable = Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")]
Share = Annotated[float, Field(gt=0, le=1)]

OPERATION = {
    "applications",
    "sample",
    "queue",
    "timeout_s",
    "attempts",
    "calls_per_hour",
    "usd_per_hour",
    "input_usd_per_million",
    "output_usd_per_million",
    "api_key_env",
    "auth_env",
    "batch",
    "threads",
    "remembered",
    "description",
    "failure_mode",
    "family",
    "harm",
    "margin",
    "corrects",
}
"""Keys that say when, for what and at what price a scorer is asked, never what it answers: they are not part of its version."""


class Specification(BaseModel):
    """What every scorer of the user's has, whatever answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Name = Field(description="Name of the metric that it gives: a probability of failure in [0, 1].")
    failure_mode: str = Field(default="", max_length=64, description="What an incident on it is called; empty: as the metric.")
    description: str = Field(default="", max_length=300, description="One line for people.")
    family: Literal["quality", "safety", "retrieval", "operations"] = Field(
        default="quality", description="What kind of thing the metric is about."
    )
    harm: int = Field(default=1, ge=0, le=3, description="How bad one affected user is, 0 (not at all) to 3 (safety, money).")
    margin: float = Field(default=1.25, gt=1, le=100, description="Alarms only when worse than so many times the baseline.")
    corrects: str = Field(default="", description="A metric that this one judges better: its rates are corrected by the sample.")
    applications: tuple[str, ...] = Field(default=(), description="Only these applications (service.name); empty: all.")
    sample: Share = Field(default=1.0, description="Share of the traces that are scored, chosen by a hash of the trace id.")
    reads: tuple[Text, ...] = Field(
        default=("question", "answer"), min_length=1, description="Texts that it is given; a trace without one is skipped."
    )
    queue: int = Field(default=500, ge=1, le=100_000, description="Traces that may wait for it; one more is told as a failure.")

    @model_validator(mode="after")
    def _reads_each_once(self) -> "Specification":
        if len(set(self.reads)) != len(self.reads):
            raise ValueError("reads: each text once")
        return self

    def version(self, kind: str) -> str:
        """Changes with every key that may change an answer, such as ``judge-1-4fa1c09e``."""
        told = self.model_dump(mode="json", exclude=OPERATION)
        digest = hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()
        return f"{kind}-1-{digest[:8]}"

    def definition(self, name: str) -> Metric:
        """The metric that scorer `name` gives."""
        description = self.description or f"Probability of a failure as the scorer `{name}` judges it."
        return Metric(
            name=self.metric,
            family=Family(self.family),
            unit=Unit.PROBABILITY,
            direction=Direction.UP_IS_WORSE,
            failure_mode=self.failure_mode or self.metric,
            description=description if description.endswith(".") else description + ".",
            margin=self.margin,
            harm=self.harm,
            corrects=self.corrects,
        )


class JudgeSpecification(Specification):
    """A language model that is asked by a rubric, through an OpenAI-compatible chat endpoint."""

    kind: Literal["judge"] = Field(description="`judge`.")
    url: str = Field(pattern=r"^https?://", description="Base URL up to and with /v1.")
    model: str = Field(min_length=1, max_length=200, description="Name of the model.")
    rubric: str = Field(min_length=1, max_length=20_000, description="What a failure is, in words.")
    api_key_env: Variable = Field(default="", description="Environment variable that holds the key; empty: none is sent.")
    answer_format: Literal["json_schema", "json_object", "text"] = Field(
        default="json_schema", description="What the endpoint can promise about the form of its answer."
    )
    extra: dict[str, Any] = Field(default_factory=dict, description="Further fields of the request, or other values of it.")
    omit: tuple[str, ...] = Field(default=(), description="Fields of the request that the endpoint does not take.")
    sample: Share = Field(default=0.05, description="Share of the traces that are judged, chosen by a hash of the trace id.")
    timeout_s: float = Field(default=30.0, gt=0, le=600, description="For one attempt.")
    attempts: int = Field(default=3, ge=1, le=10, description="Attempts at most, with growing pauses.")
    calls_per_hour: int = Field(default=1_000, ge=1, description="Requests an hour at most, repeated ones included.")
    usd_per_hour: float = Field(default=1.0, gt=0, description="US dollars an hour at most, by the prices below.")
    input_usd_per_million: float = Field(default=0.0, ge=0, description="US dollars for a million input tokens.")
    output_usd_per_million: float = Field(default=0.0, ge=0, description="US dollars for a million output tokens.")
    max_tokens: int = Field(default=400, ge=16, le=100_000, description="Tokens of an answer at most.")
    remembered: int = Field(default=10_000, ge=0, le=1_000_000, description="Verdicts kept in memory, by content.")


class EndpointSpecification(Specification):
    """A service of the user's that scores texts over HTTP."""

    kind: Literal["endpoint"] = Field(description="`endpoint`.")
    url: str = Field(pattern=r"^https?://", description="Where texts are posted to.")
    auth_env: Variable = Field(default="", description="Environment variable that holds the secret; empty: none is sent.")
    auth_header: str = Field(default="Authorization", pattern=r"^[A-Za-z0-9-]{1,64}$", description="Header of the secret.")
    auth_scheme: str = Field(default="Bearer", max_length=32, description="Word before the secret; empty: the secret alone.")
    batch: int = Field(default=16, ge=1, le=1_000, description="Traces in one request at most.")
    timeout_s: float = Field(default=10.0, gt=0, le=600, description="For one attempt.")
    attempts: int = Field(default=3, ge=1, le=10, description="Attempts at most, with growing pauses.")


class HuggingFaceSpecification(Specification):
    """A sequence- or token-classification model in a local folder. Nothing is ever downloaded."""

    kind: Literal["huggingface"] = Field(description="`huggingface`.")
    path: str = Field(min_length=1, description="Folder with config.json, tokenizer.json and the weights.")
    revision: str = Field(default="", max_length=64, description="Any word for the weights: change it with them.")
    runtime: Literal["onnx", "transformers"] = Field(
        default="onnx", description="`onnx` (model.onnx) or `transformers` (safetensors; needs that library and torch)."
    )
    failure_labels: tuple[str, ...] = Field(min_length=1, description="Labels of the model that mean failure.")
    reads: tuple[Text, ...] = Field(
        default=("answer",), min_length=1, max_length=2, description="One text, or a pair such as context and answer."
    )
    over_windows: Literal["", "max", "min"] = Field(
        default="", description="Which window of a long text counts; empty: the worst of one text, the best of a pair."
    )
    max_tokens: int = Field(default=512, ge=8, le=100_000, description="Tokens of one window.")
    max_windows: int = Field(default=16, ge=1, le=1_000, description="Windows of one text that are read.")
    batch: int = Field(default=8, ge=1, le=256, description="Traces that are scored together.")
    threads: int = Field(default=1, ge=1, le=64, description="Threads of the model.")


AnySpecification = Annotated[JudgeSpecification | EndpointSpecification | HuggingFaceSpecification, Field(discriminator="kind")]


def definitions(specifications: Mapping[str, Specification]) -> dict[str, Metric]:
    """The metrics of configured scorers by name, without building those."""
    return {specification.metric: specification.definition(name) for name, specification in specifications.items()}
