"""A camera's whole state as bytes, exact to the last bit.

JSON for what is plain data (Python writes floats so that they read back the same) beside NumPy's
``.npz`` for arrays. Nothing in it is executable: unpickling is off.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_detective.errors import StorageError

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Plain data and named arrays."""

    data: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    def encode(self) -> bytes:
        """As bytes; equal checkpoints give equal bytes."""
        text = json.dumps({"format": FORMAT, "data": self.data}, sort_keys=True)
        buffer = io.BytesIO()
        named = {f"a_{name}": array for name, array in sorted(self.arrays.items())}
        np.savez(buffer, json=np.frombuffer(text.encode(), np.uint8), **named)  # type: ignore[arg-type]
        return buffer.getvalue()

    @classmethod
    def decode(cls, content: bytes) -> Checkpoint:
        """The checkpoint that ``encode`` wrote.

        Raises:
            StorageError: the bytes are damaged or of another version.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                document = json.loads(archive["json"].tobytes())
                arrays = {n.removeprefix("a_"): archive[n] for n in archive.files if n != "json"}
            if document["format"] != FORMAT:
                raise ValueError(f"format {document['format']}")
            return cls(data=document["data"], arrays=arrays)
        except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as cause:
            raise StorageError(
                f"The saved state of this analysis cannot be read ({cause})",
                remedy="Restore the data directory from a backup, or analyse into another one.",
            ) from cause
