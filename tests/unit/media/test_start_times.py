from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from video_detective.errors import UsageError
from video_detective.media.start import start_in_metadata, start_in_name, zone_of

TAIPEI = ZoneInfo("Asia/Taipei")
EVENING = "2025-12-16T14:05:01+00:00"  # 22:05:01 in Taipei


def utc(ns: int | None) -> str | None:
    return None if ns is None else datetime.fromtimestamp(ns / 1e9, UTC).isoformat()


@pytest.mark.parametrize(
    "name",
    [
        "cam01_20251216_220501",
        "2025-12-16_22-05-01",
        "20251216T220501",
        "VID_20251216_220501",
        "門口 2025-12-16 22.05.01",
        "RecM01_20251216_220501_221001_6D28808",
        "Camera-20251216220501",
        "20251216T140501Z",
        "20251216T140501+0000",
        "2025.12.16-22.05.01",
        "20251216_220501_000012",
        "v1080_99_20251216-220501",
    ],
)
def test_the_date_in_a_file_name_is_read_in_the_cameras_zone(name: str) -> None:
    assert utc(start_in_name(name, TAIPEI)) == EVENING


def test_milliseconds_in_a_phones_file_name_count() -> None:
    assert start_in_name("PXL_20251216_220501123", TAIPEI) == 1765893901_123_000_000


@pytest.mark.parametrize(
    "name", ["holiday", "20251216", "20251316_220501", "20250231_120000", "cam_1234567890123456"]
)
def test_names_without_a_real_date_and_time_tell_nothing(name: str) -> None:
    assert start_in_name(name, TAIPEI) is None


def test_a_local_time_that_clocks_skip_moves_on_by_the_skip() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert utc(start_in_name("20250330_023000", berlin)) == "2025-03-30T01:30:00+00:00"


def test_of_two_equal_local_times_the_first_is_meant() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert utc(start_in_name("20251026_023000", berlin)) == "2025-10-26T00:30:00+00:00"


def test_a_containers_creation_time_is_utc() -> None:
    tags = {"creation_time": "2025-12-16T14:05:01.000000Z"}
    assert utc(start_in_metadata(tags, TAIPEI)) == EVENING


@pytest.mark.parametrize("text", ["1904-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "soon", ""])
def test_a_containers_placeholder_is_no_creation_time(text: str) -> None:
    assert start_in_metadata({"creation_time": text}, TAIPEI) is None


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Asia"])
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="IANA"):
        zone_of(name)
