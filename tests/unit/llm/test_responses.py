"""What servers' responses mean, in the words that real servers use."""

from typing import Any

import httpx
import pytest

from video_detective.errors import ModelError
from video_detective.llm.base import Kind, Server
from video_detective.llm.responses import FailedError, RejectedError, Responses

KEY = "k3y-that-nobody-may-read"


def failure(status: int, body: object, kind: Kind = "ollama", **headers: str) -> FailedError:
    server = Server(name="edge", kind=kind, url="http://edge.example", api_key=KEY)
    if isinstance(body, bytes):
        response = httpx.Response(status, content=body, headers=headers)
    else:
        response = httpx.Response(status, json=body, headers=headers)
    with pytest.raises(FailedError) as caught:
        Responses(server).read(response, response.content, "eye")
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, {"error": "model 'eye' not found"}, "no_model"),
        (404, {"error": {"message": "The model `eye` does not exist."}}, "no_model"),
        (404, {"object": "error", "message": "The model `eye` does not exist."}, "no_model"),
        (404, b"404 page not found", "server"),
        (400, {"error": "the input length exceeds the context length"}, "truncated"),
        (
            400,
            {"error": {"message": "This model's maximum context length is 4096 tokens. However"}},
            "truncated",
        ),
        (
            400,
            {"error": {"message": "the request exceeds the available context size"}},
            "truncated",
        ),
        (
            400,
            {"error": "prompt too long; exceeded max context length by 42 tokens"},
            "truncated",
        ),
        (413, b"Request Entity Too Large", "truncated"),
        (500, {"error": {"message": "image input is not supported - hint: mmproj"}}, "no_images"),
        (400, {"error": {"message": "eye is not a multimodal model"}}, "no_images"),
        (
            400,
            {"error": "Model does not support images. Please use a model that does."},
            "no_images",
        ),
        (
            500,
            {"error": "vision model only supports a single image per message"},
            "no_images",
        ),
        (400, {"message": "At most 1 image(s) may be provided in one prompt."}, "no_images"),
        (500, {"error": "model requires more system memory (64 GiB) than is available"}, "server"),
        (401, {"error": "unauthorized"}, "refused"),
        (403, b"Forbidden", "refused"),
        (422, {"detail": [{"loc": ["body"], "msg": "extra fields not permitted"}]}, "server"),
    ],
)
def test_what_can_never_succeed_is_not_tried_again(status: int, body: object, reason: str) -> None:
    failed = failure(status, body)
    assert isinstance(failed.error, RejectedError)
    assert (failed.error.reason, failed.error.transient, failed.retry) == (reason, False, False)
    assert f"HTTP {status}" in failed.error.message


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    failed = failure(status, {"error": "busy"})
    assert failed.error.transient
    assert failed.retry


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "a"}, "a"),
        ({"error": {"message": "b", "code": 1}}, "b"),
        ({"detail": [{"loc": ["body"], "msg": "c"}]}, "c"),
        (
            b"<html><head><title>x</title></head><body><h1>Bad</h1> Gateway</body></html>",
            "Bad Gateway",
        ),
        (b"plain\r\n  words\x07", "plain words"),
        (b"", ""),
        (b"[" * 100_000, "[" * 299 + "\u2026"),
    ],
)
def test_a_servers_words_are_found_in_whatever_shape(body: object, words: str) -> None:
    assert failure(500, body).error.raw == words


@pytest.mark.parametrize(
    ("after", "date", "pause_s"),
    [
        ("7", "", 7.0),
        ("0.5", "", 0.5),
        ("Mon, 01 Dec 2025 00:01:00 GMT", "Mon, 01 Dec 2025 00:00:30 GMT", 30.0),
        ("Mon, 01 Dec 2025 00:00:00 GMT", "Mon, 01 Dec 2025 00:00:30 GMT", 0.0),
        ("Mon, 01 Dec 2025 00:01:00 GMT", "", 0.0),
        ("soon", "", 0.0),
        ("-5", "", 0.0),
        ("nan", "", 0.0),
        ("1e9", "", 0.0),
    ],
)
def test_the_pause_a_server_asks_for_is_read(after: str, date: str, pause_s: float) -> None:
    headers: dict[str, Any] = {"retry-after": after, "date": date}
    failed = failure(429, {"error": "x"}, **headers)
    assert failed.after_s == pause_s


def test_neither_key_nor_picture_is_repeated() -> None:
    picture = "data:image/jpeg;base64,/9j/4AAQSkZJRg=="
    for status in (200, 400, 401, 500):
        error = failure(status, {"error": f"Bearer {KEY} {picture} {'QUJD' * 50}"}).error
        for shown in (str(error), error.raw, repr(error.context)):
            assert KEY not in shown
            assert "4AAQ" not in shown
            assert "QUJD" not in shown


def test_a_redirect_names_the_host_without_its_password() -> None:
    failed = failure(302, b"", location="https://user:pa55@other.example/x?token=1")
    assert "other.example" in failed.error.message
    assert "pa55" not in failed.error.message
    assert not failed.retry


@pytest.mark.parametrize("kind", ["ollama", "openai", "lmstudio", "vllm", "llamacpp", "nim"])
def test_a_missing_model_comes_with_the_way_to_get_it(kind: Kind) -> None:
    error: ModelError = failure(404, {"error": "model not found"}, kind).error
    assert "eye" in error.remedy
