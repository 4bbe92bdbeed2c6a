import pytest

from video_detective.media.addresses import scheme_of, without_secret


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://10.0.0.9:554/ch1", "rtsp://10.0.0.9:554/ch1"),
        ("rtsp://admin:pw@10.0.0.9/ch1", "rtsp://10.0.0.9/ch1"),
        ("rtsp://admin@10.0.0.9/ch1", "rtsp://10.0.0.9/ch1"),
        ("rtsp://admin:p@ss@10.0.0.9/ch1", "rtsp://10.0.0.9/ch1"),
        ("rtsp://admin:p/ss#w?@10.0.0.9/ch1", "rtsp://10.0.0.9/ch1"),
        ("http://[fe80::1]:8080/mjpeg", "http://[fe80::1]:8080/mjpeg"),
        ("http://cam/mjpeg?user=a&password=b&channel=2", "http://cam/mjpeg?user=***&password=***&channel=2"),
        ("rtsp://cam/user=admin&password=x&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
        ("https://cam/live?token=abc", "https://cam/live?token=***"),
        ("rtsp://cam/stream@2", "rtsp://cam/stream@2"),
        ("rtsp://admin:pw", "rtsp://***"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_secret(address: str, shown: str) -> None:
    assert without_secret(address) == shown


@pytest.mark.parametrize(
    ("text", "scheme"),
    [("RTSP://x", "rtsp"), ("file:///etc/passwd", "file"), ("concat:a|b", "concat"),
     ("subfile,,start,1,end,2,,:x.mp4", "subfile"), ("C:\\clips\\a.mp4", None), ("a.mp4", None),
     ("./odd:name.mp4", None)],
)  # fmt: skip
def test_a_scheme_is_told_from_a_path(text: str, scheme: str | None) -> None:
    assert scheme_of(text) == scheme
