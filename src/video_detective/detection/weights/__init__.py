"""Model weights: what there is, fetching, converting, verifying."""

from video_detective.detection.weights.cache import (
    CACHE_VARIABLE,
    Status,
    bundle,
    default_cache_dir,
    find,
    install,
    status,
    verify,
)
from video_detective.detection.weights.catalogue import Model, catalogue

__all__ = [
    "CACHE_VARIABLE",
    "Model",
    "Status",
    "bundle",
    "catalogue",
    "default_cache_dir",
    "find",
    "install",
    "status",
    "verify",
]
