"""Detectors by the name a camera's configuration gives them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from video_detective.detection.base import CLASS_GROUPS, Detector
from video_detective.detection.detectors.faces import CenterFace, WithFaces
from video_detective.detection.detectors.mobilenet_ssd import CLASSES, MobileNetSsd
from video_detective.detection.detectors.onnx_models import OnnxDetector
from video_detective.detection.detectors.ultralytics import UltralyticsDetector
from video_detective.detection.weights import find
from video_detective.detection.weights.catalogue import CENTERFACE, MOBILENET_SSD_INT8
from video_detective.errors import UsageError

_USER_MODEL_THRESHOLD = 0.1
"""Low, as for the installed weights: the tracker has a use for weak detections (ByteTrack)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorOptions:
    """What a camera's configuration says of its detector.

    Args:
        classes: Wanted classes of ``CLASS_GROUPS``; None for all that the detector knows.
        threshold: Lowest score (0..1) to report; None for the detector's own.
        model_path: A model file of the user's; None for the installed weights.
        cache_dir: Where weights are installed; None for the user's cache.
        layout: Form of an ``onnx`` model's outputs; None to have it recognised.
        class_names: Class names of the user's model in the order of its numbers; None for those
            in its file, else COCO's.
        device: ``cuda`` lets the user's model use a GPU where the runtime has one.
    """

    classes: Collection[str] | None = None
    threshold: float | None = None
    model_path: Path | None = None
    cache_dir: Path | None = None
    layout: str | None = None
    class_names: Sequence[str] | None = None
    device: Literal["cpu", "cuda"] = "cpu"


def _mobilenet_ssd(options: DetectorOptions) -> Detector:
    _require_any("mobilenet-ssd", options.classes, CLASSES)
    model = options.model_path or find("mobilenet-ssd", MOBILENET_SSD_INT8, options.cache_dir)
    if options.threshold is None:
        return MobileNetSsd(model, classes=options.classes)
    return MobileNetSsd(model, classes=options.classes, threshold=options.threshold)


def _centerface(options: DetectorOptions) -> Detector:
    _require_any("centerface", options.classes, ("face",))
    model = options.model_path or find("centerface", CENTERFACE, options.cache_dir)
    if options.threshold is None:
        return CenterFace(model)
    return CenterFace(model, threshold=options.threshold)


def _onnx(options: DetectorOptions) -> Detector:
    return OnnxDetector(
        _users_model("onnx", options),
        classes=options.classes,
        threshold=_USER_MODEL_THRESHOLD if options.threshold is None else options.threshold,
        layout=options.layout,
        class_names=options.class_names,
        device=options.device,
    )


def _ultralytics(options: DetectorOptions) -> Detector:
    return UltralyticsDetector(
        _users_model("ultralytics", options),
        classes=options.classes,
        threshold=_USER_MODEL_THRESHOLD if options.threshold is None else options.threshold,
        class_names=options.class_names,
        device=options.device,
    )


def _users_model(detector: str, options: DetectorOptions) -> Path:
    if options.model_path is None:
        raise UsageError(
            f"Detector {detector!r} brings no model of its own",
            remedy="Name your model's file: --model FILE, or 'model' in the rules",
        )
    return options.model_path


DETECTORS: Mapping[str, Callable[[DetectorOptions], Detector]] = {
    "mobilenet-ssd": _mobilenet_ssd,
    "centerface": _centerface,
    "onnx": _onnx,
    "ultralytics": _ultralytics,
}
"""How each detector is made; the first is the default."""


def make_detector(
    name: str,
    *,
    classes: Collection[str] | None = None,
    threshold: float | None = None,
    model_path: Path | None = None,
    cache_dir: Path | None = None,
    layout: str | None = None,
    class_names: Sequence[str] | None = None,
    device: Literal["cpu", "cuda"] = "cpu",
) -> Detector:
    """The named detector, ready to use.

    When ``classes`` has ``face`` and the detector does not know faces, CenterFace finds them beside
    it.

    Args:
        name: A key of ``DETECTORS``.
        classes: See ``DetectorOptions``, as for the others.
        threshold: See there.
        model_path: See there.
        cache_dir: See there.
        layout: See there.
        class_names: See there.
        device: See there.

    Raises:
        UsageError: unknown detector or class, a threshold outside 0..1, or a detector that knows
            none of the wanted classes; a user's model that cannot be used as it is declared.
        MissingError: the user's model file is not there.
        WeightsError: its weights are not installed, damaged or unreadable.
    """
    if name not in DETECTORS:
        raise UsageError(
            f"There is no detector {name!r}", remedy=f"Choose from: {', '.join(DETECTORS)}"
        )
    unknown = sorted(set(classes or ()) - set(CLASS_GROUPS))
    if unknown:
        raise UsageError(
            f"There is no class {unknown[0]!r}", remedy=f"Choose from: {', '.join(CLASS_GROUPS)}"
        )
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(
            f"Threshold {threshold} is no score", remedy="Give a number from 0 to 1, such as 0.4"
        )
    detector = DETECTORS[name](
        DetectorOptions(
            classes=classes,
            threshold=threshold,
            model_path=model_path,
            cache_dir=cache_dir,
            layout=layout,
            class_names=class_names,
            device=device,
        )
    )
    if "face" in (classes or ()) and "face" not in detector.classes:
        return WithFaces(detector, CenterFace(find("centerface", CENTERFACE, cache_dir)))
    return detector


def _require_any(detector: str, wanted: Collection[str] | None, known: Collection[str]) -> None:
    if wanted is not None and not set(wanted) & set(known):
        asked = ", ".join(sorted(wanted)) or "nothing"
        raise UsageError(
            f"Detector {detector!r} cannot find {asked}",
            remedy=f"Watch for classes it knows: {', '.join(sorted(known))}",
        )
