"""From pictures to boxes: motion gate, detectors, weights."""

from video_detective.detection.base import CLASS_GROUPS, Detections, Detector, Eyes, Perception

__all__ = ["CLASS_GROUPS", "Detections", "Detector", "Eyes", "Perception"]
