"""Model names without what varies between releases and resellers."""

import re
from functools import lru_cache

_PREFIX = re.compile(
    r"^(?:[a-z0-9_.:-]*/)*(?:(?:us|eu|apac|global|jp|au)\.)?(?:(?:anthropic|meta|amazon|mistral|cohere|openai|google"
    r"|deepseek|qwen)[.:])?"
)
_SUFFIX = re.compile(
    r"(?:[-@:](?:latest|preview|exp|experimental|stable|beta|\d{4}-\d{2}-\d{2}|\d{2}-\d{2}|\d{8}|\d{6}|\d{4}|\d{3}"
    r"|v\d+(?::\d+)?|\d{2}-\d{4}))+$"
)


@lru_cache(maxsize=4096)
def family_of(model: str) -> str:
    """`gpt-4o` of `openai/gpt-4o-2024-08-06`, `claude-3-5-haiku` of `us.anthropic.claude-3-5-haiku-20241022-v1:0`."""
    plain = _PREFIX.sub("", model.strip().lower(), count=1)
    return _SUFFIX.sub("", plain) or plain
