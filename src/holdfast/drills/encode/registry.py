"""Every convention, by the name that mappers give it: how it writes a call, and the instrumentation scope that it names."""

from holdfast.drills.encode import openinference, openllmetry, otel_genai
from holdfast.drills.encode.otlp import Convention

CONVENTIONS: dict[str, tuple[Convention, str]] = {
    "otel_genai": (otel_genai.encode, otel_genai.SCOPE),
    "openinference": (openinference.encode, openinference.SCOPE),
    "openllmetry": (openllmetry.encode, openllmetry.SCOPE),
}
