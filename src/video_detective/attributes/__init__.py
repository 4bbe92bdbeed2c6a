"""What the persons in view look like, as counts of 27 attributes; null where nothing knows."""

from video_detective.attributes.base import FIELDS, WIRE, AttributeRecord, Attributes, Knower

__all__ = ["FIELDS", "WIRE", "AttributeRecord", "Attributes", "Knower"]
