"""Template answers: static texts with variables, by language. What is served when no model should be asked."""

import re

from holdfast.control.snapshot import Template

LAST_RESORT = "We cannot answer this at the moment. Please try again later or contact a person on our team."
"""Where a route has no template, and one must be shown."""
_VARIABLE = re.compile(r"\{([a-z_][a-z0-9_.]*)\}")


def rendered(template: Template | None, languages: tuple[str, ...], variables: dict[str, str]) -> str:
    """The text in the first of `languages` that there is (`de-AT` also finds `de`), with its variables filled in.

    A variable that is not known stays out: the text around it is shown all the same.
    """
    if template is None or not template.texts:
        return LAST_RESORT
    for language in (*languages, ""):
        for code in (language, language.partition("-")[0]):
            if code in template.texts:
                return _filled(template.texts[code], variables)
    return _filled(next(iter(template.texts.values())), variables)


def _filled(text: str, variables: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda m: variables.get(m[1], ""), text)


def accepted(header: str) -> tuple[str, ...]:
    """Languages of an `Accept-Language` header, best first (RFC 9110 §12.5.4); at most eight."""
    found: list[tuple[float, str]] = []
    for part in header[:500].split(",")[:8]:
        language, _, rest = part.strip().partition(";")
        try:
            quality = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            quality = 0.0
        if language and language != "*" and quality > 0:
            found.append((-quality, language.strip().lower()))
    return tuple(language for _, language in sorted(found, key=lambda f: f[0]))
