from zoneinfo import ZoneInfo

from video_detective.storage import frame_id


def test_a_frame_is_named_by_the_local_time_of_its_camera() -> None:
    time_ns = 1_765_893_901_999_999_999  # 2025-12-16 14:05:01.999… UTC

    assert (
        frame_id("cam01", time_ns, 123, ZoneInfo("Asia/Taipei")) == "cam01_20251216_220501_000123"
    )
    assert frame_id("cam01", time_ns, 123, ZoneInfo("UTC")) == "cam01_20251216_140501_000123"


def test_a_frame_before_1970_has_a_name() -> None:
    assert frame_id("c", -1, 0, ZoneInfo("UTC")) == "c_19691231_235959_000000"
