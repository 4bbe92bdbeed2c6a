"""State as plain JSON and back, exactly.

Every state machine keeps what it remembers in small dataclasses; these two functions turn them
into what ``json`` can write and rebuild them from their annotations. Python's ``json`` writes
floats so that they read back to the same bits, and integers of any size, hence "exactly".
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def plain(value: Any) -> Any:
    """``value`` (dataclasses, tuples, lists, mappings, scalars) as plain JSON data.

    >>> plain((1, {"a": (2.5, None)}))
    [1, {'a': [2.5, None]}]
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def rebuild(kind: type[T], data: Any) -> T:
    """The value of type ``kind`` of which ``data`` is the ``plain`` form.

    Args:
        kind: A dataclass or a parametrised ``dict``, ``list`` or ``tuple`` of such.
        data: What ``plain`` gave, possibly after a journey through JSON.
    """
    result: T = _rebuild(kind, data, {})
    return result


def _rebuild(kind: Any, data: Any, hints: dict[type, dict[str, Any]]) -> Any:
    """``hints`` keeps the annotations of each dataclass met: resolving them costs most."""
    if data is None or kind is Any:
        return data
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _rebuild(next(a for a in arguments if a is not types.NoneType), data, hints)
    if origin in (dict, Mapping):
        return {key: _rebuild(arguments[1], item, hints) for key, item in data.items()}
    if origin is list:
        return [_rebuild(arguments[0], item, hints) for item in data]
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_rebuild(arguments[0], item, hints) for item in data)
        return tuple(_rebuild(a, item, hints) for a, item in zip(arguments, data, strict=True))
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if kind not in hints:
            hints[kind] = get_type_hints(kind)
        fields = hints[kind]
        return kind(**{name: _rebuild(fields[name], item, hints) for name, item in data.items()})
    return data
