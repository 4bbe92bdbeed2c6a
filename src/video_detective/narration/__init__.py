"""Words about video: by template from the facts alone."""

from video_detective.narration.catalogue import LANGUAGES, Language
from video_detective.narration.template import (
    EventTexts,
    class_name,
    event_name,
    event_synonyms,
    event_texts,
    keywords_zh,
    moment_text,
    risk_name,
    summary,
)

__all__ = [
    "LANGUAGES",
    "EventTexts",
    "Language",
    "class_name",
    "event_name",
    "event_synonyms",
    "event_texts",
    "keywords_zh",
    "moment_text",
    "risk_name",
    "summary",
]
