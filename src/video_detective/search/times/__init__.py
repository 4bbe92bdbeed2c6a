"""The times in a question: 「昨天晚上 10 點到 11 點」 as a range of instants."""

from video_detective.search.times.base import Period, TimeReading
from video_detective.search.times.reading import read_times

__all__ = ["Period", "TimeReading", "read_times"]
