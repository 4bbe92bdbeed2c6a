"""The protocol-buffer wire format, as far as Caffe and ONNX models need it.

Two hundred lines of generated code and a run-time library would do the same; the format itself is
four wire types. Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Wire types; the deprecated groups (3 and 4) occur in neither format."""

_MAX_VARINT_BYTES = 10


class WireError(ValueError):
    """The bytes are no protocol-buffer message."""


def read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """The unsigned base-128 integer that starts at ``at``, and the position after it.

    Raises:
        WireError: the bytes end within it, or it is longer than 64 bits can be.
    """
    value = 0
    for count in range(_MAX_VARINT_BYTES):
        if at + count >= len(data):
            raise WireError(f"message ends inside a number at byte {at}")
        byte = data[at + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, at + count + 1
    raise WireError(f"number longer than 64 bits at byte {at}")


def read_fields(data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """The fields of one message, in the order written.

    Yields:
        (field number, wire type, value): the integer for ``VARINT``; the raw little-endian bytes
        for ``FIXED32`` and ``FIXED64``; the content for ``LENGTH`` (text, bytes, packed numbers or
        an inner message). Bytes are views, not copies.

    Raises:
        WireError: truncated, or a wire type of neither format.
    """
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        number, wire_type = key >> 3, key & 7
        if wire_type == VARINT:
            value, at = read_varint(data, at)
            yield number, wire_type, value
            continue
        if wire_type == LENGTH:
            size, at = read_varint(data, at)
        elif wire_type in (FIXED32, FIXED64):
            size = 4 if wire_type == FIXED32 else 8
        else:
            raise WireError(f"wire type {wire_type} at byte {at}")
        if at + size > len(data):
            raise WireError(f"field {number} at byte {at} is longer than the message")
        yield number, wire_type, data[at : at + size]
        at += size


def read_integers(value: int | memoryview) -> list[int]:
    """A repeated integer field's values, written one by one or packed."""
    if isinstance(value, int):
        return [value]
    numbers, at = [], 0
    while at < len(value):
        number, at = read_varint(value, at)
        numbers.append(number)
    return numbers


def write_varint(value: int) -> bytes:
    """An integer of 64 bits, negative ones as two's complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def write_integer(number: int, value: int) -> bytes:
    """Field ``number`` as a varint."""
    return write_varint(number << 3 | VARINT) + write_varint(value)


def write_float(number: int, value: float) -> bytes:
    """Field ``number`` as a 32-bit float."""
    return write_varint(number << 3 | FIXED32) + struct.pack("<f", value)


def write_bytes(number: int, value: bytes | str | memoryview) -> bytes:
    """Field ``number`` as text (UTF-8), bytes or an encoded inner message."""
    raw = value.encode() if isinstance(value, str) else bytes(value)
    return write_varint(number << 3 | LENGTH) + write_varint(len(raw)) + raw
