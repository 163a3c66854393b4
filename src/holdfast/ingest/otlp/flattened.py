"""Lists spread over attribute names (`llm.input_messages.0.message.role`) → trees."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from holdfast.ingest.limits import MAX_LIST

Path = tuple[str, ...]
_MAX_PARTS = 16
_MAX_DIGITS = 9


def path_of(name: str) -> Path:
    """A name split at its dots; from the sixteenth on they are part of the last one."""
    return tuple(name.split(".", _MAX_PARTS))


def unflatten(items: Iterable[tuple[Path, Any]]) -> dict[str, Any]:
    """Nested dicts. A path that is both a leaf and a branch stays what it was first."""
    root: dict[str, Any] = {}
    for path, value in items:
        node = root
        for part in path[:-1]:
            child = node.get(part)
            if child is None:
                child = node[part] = {}
            elif type(child) is not dict:
                break
            node = child
        else:
            node.setdefault(path[-1], value)
    return root


def at(tree: Any, *path: str) -> Any:
    """What stands under `path`, else None."""
    for part in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(part)
    return tree


def elements(node: Any) -> list[Any]:
    """A list as it is; a dict whose keys are numbers as its values in that order; else nothing."""
    if isinstance(node, list):
        return node[:MAX_LIST]
    if not isinstance(node, dict):
        return []
    numbered = [(int(key), value) for key, value in node.items() if _is_index(key)]
    if len(numbered) > 1:
        numbered.sort(key=itemgetter(0))
    return [value for _, value in numbered[:MAX_LIST]]


def _is_index(key: Any) -> bool:
    # isdecimal() alone takes digits of other scripts, and numbers that int() refuses for their length.
    return isinstance(key, str) and key.isdecimal() and key.isascii() and len(key) <= _MAX_DIGITS
