"""Writes docs/reference/settings.md from the settings: `python -m scripts.settings_reference`."""

from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from holdfast.settings import ApplicationSettings, ObjectiveSettings, Settings

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"

HEAD = """# Settings

<!-- Written by scripts/settings_reference.py from src/holdfast/settings.py: change the fields, then run `make docs`. -->

`holdfast.toml` in the working directory, `--config FILE`, or the file that `HOLDFAST_CONFIG` names. An environment variable
overrides a key: `HOLDFAST_SERVER__API_PORT` is `server.api_port`. An unknown key or a wrong value stops the start, and is named.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if name == "applications":
            parts.append(f"## `[applications.NAME]`\n\n{table(ApplicationSettings, 'applications.NAME')}")
        elif name == "objectives":
            parts.append(f"## `[objectives.NAME]`\n\n{table(ObjectiveSettings, 'objectives.NAME')}")
        elif name == "scorers":
            for kind in get_args(get_args(get_args(section)[1])[0]):
                parts.append(f"## `[scorers.NAME]`: {kind.__doc__}\n\n{table(kind, 'scorers.NAME')}")
        elif isinstance(section, type) and issubclass(section, BaseModel):
            parts.append(f"## `[{name}]`\n\n{table(section, name)}")
    return "\n".join(parts)


def table(section: type[BaseModel], prefix: str) -> str:
    """One section as a table."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for name, field in section.model_fields.items():
        lines.append(f"| `{prefix}.{name}` | {shown(field.get_default(call_default_factory=True))} | {field.description} |")
    return "\n".join(lines) + "\n"


def shown(default: Any) -> str:
    """A default as one would write it."""
    if default is None or default in ("", {}, [], ()) or default is PydanticUndefined:
        return ""
    if isinstance(default, tuple):
        return f"`{list(default)}`"
    return f"`{default}`"


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
