"""Fixtures that every test folder shares."""

from pathlib import Path

import pytest

from video_detective.detection.weights import default_cache_dir, install

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def media_dir() -> Path:
    """The folder of real footage beside the checkout."""
    folder = REPOSITORY.parent / "shared" / "media"
    if not folder.is_dir():
        pytest.skip("real footage (shared/media beside the checkout) is not here")
    return folder


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The user's model cache, with the default weights in it (fetched once, then kept)."""
    install()
    return default_cache_dir()
