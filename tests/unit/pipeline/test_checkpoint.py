"""A camera's saved state: read back exact, or refused with a remedy."""

from collections.abc import Callable

import numpy as np
import pytest

from video_detective.errors import StorageError
from video_detective.pipeline.checkpoint import Checkpoint

ARRAYS = {"background": np.arange(600, dtype=np.float32)}


def test_a_checkpoint_reads_back_exact() -> None:
    written = Checkpoint(data={"x": 0.1, "name": "後門"}, arrays=ARRAYS)

    read = Checkpoint.decode(written.encode())

    assert read.data == written.data
    assert np.array_equal(read.arrays["background"], ARRAYS["background"])
    assert read.encode() == written.encode()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:40],
        lambda content: content[:-100],
        lambda content: content[:-30] + bytes(30),
        lambda content: content[:400] + b"zz" + content[402:],
        lambda content: content[:1000] + bytes(8) + content[1008:],
    ],
)
def test_a_damaged_checkpoint_is_refused_with_a_remedy(damage: Callable[[bytes], bytes]) -> None:
    content = Checkpoint(data={"x": 1}, arrays=ARRAYS).encode()

    with pytest.raises(StorageError, match="cannot be read") as refused:
        Checkpoint.decode(damage(content))

    assert "data directory" in str(refused.value)
