"""What a mapper table is made of.

A table is a tuple of (attribute, field, converter), in order of precedence: the first attribute whose converter yields a
value gives the field. Fields are those of `Call`; with a dot, parts of one (`usage.input_tokens`, `parameters.seed`,
`dimension.tenant`); with `~`, material that `spans.py` interprets once all is known (`~input`, `~output`, `~metadata`).
"""

from typing import NamedTuple

from holdfast.ingest.otlp.convert import Converter


class Rule(NamedTuple):
    """One attribute gives one field."""

    attribute: str
    field: str
    convert: Converter


class Convention(NamedTuple):
    """One convention's way of writing things down.

    Args:
        name: as it stands in `Call.convention`.
        version: of this table; goes up whenever a change of it alters what a span becomes.
        rules: attribute → field.
        lists: prefix of lists and objects that are spread over names → field; the converter gets the unflattened tree.
            They give way to `rules`.
    """

    name: str
    version: str
    rules: tuple[Rule, ...]
    lists: tuple[Rule, ...] = ()
