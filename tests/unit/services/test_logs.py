"""Log lines: one JSON object each, that says what it belongs to and holds no secret."""

import io
import json
import logging
import secrets
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_detective.pipeline.trace import traced
from video_detective.services.logs import HIDDEN, JsonLines, redacted

KEY = "vd_live_ab12cd34" + "Zq9xW_7tT-s3cr3tPartOfTheKey00000"


@pytest.fixture
def logged() -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(node="node-1", secrets=["hunter2hunter2"]))
    logger = logging.Logger("video_detective.somewhere")
    logger.addHandler(handler)
    return logger, stream


def only_line(stream: io.StringIO) -> dict[str, Any]:
    text = stream.getvalue()
    assert text.count("\n") == 1
    line: dict[str, Any] = json.loads(text)
    return line


def test_a_line_says_when_who_where_and_what_it_belongs_to(
    logged: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, stream = logged
    with traced(request="req-1"), traced(job="job-1"):
        logger.warning("攝影機 %s\nis gone", "cam01")
    line = only_line(stream)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "video_detective.somewhere",
        "message": "攝影機 cam01\nis gone",
        "requestId": "req-1",
        "jobId": "job-1",
        "node": "node-1",
    }


def test_after_the_work_lines_belong_to_nothing(
    logged: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, stream = logged
    with traced(request="req-1", job="job-1"):
        pass
    logger.error("later")
    assert {"requestId", "jobId"}.isdisjoint(only_line(stream))


def test_an_exception_is_one_line_with_its_trace_and_without_its_secrets(
    logged: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, stream = logged
    try:
        raise ConnectionError("rtsp://admin:s3cr3t/pw@10.0.0.5/live refused hunter2hunter2")
    except ConnectionError:
        logger.exception("lost", extra={"fields": {"url": "http://a:pass123@b/"}})
    line = only_line(stream)
    assert "ConnectionError" in line["error"]
    assert "10.0.0.5/live refused" in line["error"]
    for secret in ("s3cr3t", "hunter2", "pass123"):
        assert secret not in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "kept", "hidden"),
    [
        (f"key {KEY} was used", "vd_live_ab12cd34", KEY[16:]),
        ("Authorization: Bearer abc.def-ghi", "Bearer", "abc.def-ghi"),
        ("rtsp://user:p@ss/w0rd@10.1.2.3:554/h264", "10.1.2.3:554/h264", "w0rd"),
        ("postgresql://vd:pw0rd@db/video", "db/video", "pw0rd"),
        ("GET /media/a.jpg?expires=5&sig=deadbeef01 200", "expires=5", "deadbeef01"),
        ("/?token=aaaa-bbbb", "token", "aaaa-bbbb"),
        ('{"password": "correct horse", "name": "ann"}', '"name": "ann"', "correct horse"),
        ("api_key='abcdefg' model='m'", "model='m'", "abcdefg"),
        ("clientSecret=whatever1, next", "next", "whatever1"),
        ("used sk-proj-0123456789abcdef here", "here", "0123456789abcdef"),
    ],
)
def test_what_looks_like_a_credential_is_blotted_out(text: str, kept: str, hidden: str) -> None:
    shown = redacted(text)
    assert HIDDEN in shown
    assert kept in shown
    assert hidden not in shown


@pytest.mark.parametrize(
    "text",
    [
        "evt_20260115_cam01_0001 of 0190f3c5-7bde-7c1a-9a52-0123456789ab",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "/api/v1/analysis/insights/0190f3c5-7bde-7c1a-9a52-0123456789ab/snapshots 200",
        "the camera 後門攝影機 does not answer at rtsp://10.0.0.5:554/live",
        "3 keys, 2 tokens left; monkey: banana",
    ],
)
def test_everything_else_stays_readable(text: str) -> None:
    assert redacted(text) == text


def test_any_token_that_the_service_makes_is_blotted_out_where_it_stands_alone() -> None:
    for _ in range(200):
        token = secrets.token_urlsafe(32)
        if any(c.isdigit() for c in token):
            assert token not in redacted(f"follow {token} now")


@given(st.text(max_size=300), st.text(min_size=6, max_size=40))
def test_a_known_secret_is_never_written_whatever_is_around_it(text: str, secret: str) -> None:
    shown = redacted(text + secret + text, [secret])
    assert secret not in shown.replace(HIDDEN, "") or secret in HIDDEN


@given(st.text(max_size=2000))
def test_any_text_is_one_line_of_json(text: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, text, None, None)
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "message" in json.loads(line)
    assert sys.getsizeof(line) > 0
