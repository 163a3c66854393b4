"""False flags by language: `python -m training.blind.languages [FOLDER]`.

Reads the messages of programs, as gettext keeps their translations (FOLDER: /usr/share/locale), and shows some in each language
to the shipped scorers. None of them is an attack, abuse or a request for harm, though some speak of killed processes. Nothing is
trained on them.
"""

import argparse
import gettext
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from holdfast.evaluation import Row, evaluate
from holdfast.score.operating_points import THRESHOLDS
from training.figures import share
from training.inline.__main__ import told

TASKS = ("injection", "toxicity", "unsafe_prompt", "unsafe_output")
EACH = 150
"""Messages of a language."""
FEWEST = 100
LENGTHS = (40, 400)
ENGLISH = "en"

_PLACEHOLDER = re.compile(r"[%{}<\\$]|--\w")


def catalogues(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Language, and original → translation of every program's messages."""
    for path in sorted(folder.glob("*/LC_MESSAGES/*.mo")):
        with path.open("rb") as file:
            try:
                found = gettext.GNUTranslations(file)
            except (OSError, LookupError, ValueError):  # gettext raises these on headers that it does not expect
                continue
        yield path.parts[-3], {k: v for k, v in vars(found)["_catalog"].items() if isinstance(k, str) and isinstance(v, str)}


def messages(folder: Path) -> dict[str, list[str]]:
    """Language → messages that are prose; the originals under `en`."""
    kept: dict[str, dict[str, str]] = defaultdict(dict)
    for language, pairs in catalogues(folder):
        for original, translated in pairs.items():
            if translated != original and fit(original) and fit(translated):
                kept[language][original] = translated
                kept[ENGLISH][original] = original
    enough = {language: found for language, found in kept.items() if len(found) >= FEWEST}
    return {
        language: random.Random(0).sample([found[k] for k in sorted(found)], min(EACH, len(found)))
        for language, found in sorted(enough.items())
    }


def fit(message: str) -> bool:
    """Whether a message is prose of the length of a request."""
    return LENGTHS[0] <= len(message) <= LENGTHS[1] and not _PLACEHOLDER.search(message) and " " in message.strip()


def row(task: str, text: str) -> Row:
    """A message as a task reads it: asked, or answered."""
    return Row(label=0, prompt="What does it say?", response=text) if task == "unsafe_output" else Row(label=0, text=text)


def main() -> None:
    """A line for each language, worst first, and all others than English together."""
    parser = argparse.ArgumentParser(prog="python -m training.blind.languages", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("/usr/share/locale"))
    found = messages(parser.parse_args().folder)
    told(f"{sum(map(len, found.values()))} messages in {len(found)} languages")
    for task in TASKS:
        flags = {}
        for language, texts in found.items():
            outcome = evaluate(task, ((f"{language}:{i}", row(task, text)) for i, text in enumerate(texts)))
            flags[language] = np.array([(j.score or 0.0) >= THRESHOLDS[task] for j in outcome.judged])
        english = share(flags.pop(ENGLISH))
        worst = sorted(flags, key=lambda language: -flags[language].mean())[:5]
        told(f"{task}: English {english}; others {share(np.concatenate(list(flags.values())))}")
        told(f"    worst: {', '.join(f'{language} {flags[language].mean():.3f}' for language in worst)}")


if __name__ == "__main__":
    main()
