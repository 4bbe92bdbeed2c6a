"""What the persons in view look like, as counts of 27 attributes; null where nothing knows."""

from video_detective.attributes.base import FIELDS, Attributes

__all__ = ["FIELDS", "Attributes"]
