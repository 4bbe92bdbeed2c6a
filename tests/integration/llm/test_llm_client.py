"""The client against a server that misbehaves in every way we know of, over both protocols."""

import asyncio
import base64
import logging
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from pydantic import BaseModel
from tests.servers.llm import LlmServer
from tests.servers.llm_protocol import BEHAVIOURS, ENGLISH, Model, vector

from video_detective.errors import ModelError, UsageError
from video_detective.llm.base import Abilities, Completion, Image, Kind, Request, Server
from video_detective.llm.calls import Retries
from video_detective.llm.client import EMBEDDING_BATCH, ModelClient

REPOSITORY = Path(__file__).resolve().parents[3]
QUICK = Retries(first_s=0.01, longest_s=0.02)
WIRES: tuple[Kind, ...] = ("ollama", "openai")
KEY = "k3y-that-nobody-may-read"
PICTURE = Image(jpeg=bytes(np.random.default_rng(1).integers(0, 256, 5000, np.uint8)))

both_wires = pytest.mark.parametrize("kind", WIRES)


class Told(BaseModel):
    answer_zh: str
    score: int


TOLD = {"answer_zh": "\u5f8c\u9580\u6c92\u6709\u4eba\u3002", "score": 3}


def question(**changes: object) -> Request:
    given: dict[str, object] = {
        "model": "eye",
        "system": "You look at pictures.",
        "parts": ("Before.", PICTURE, "After."),
        "answer": Told,
    }
    return Request(**(given | changes))  # type: ignore[arg-type]


def asker(server: LlmServer, kind: Kind, **changes: object) -> ModelClient:
    settings = server.settings(kind, **changes)  # type: ignore[arg-type]
    return ModelClient(settings, retries=QUICK, chance=np.random.default_rng(0))


async def outcome(server: LlmServer, kind: Kind, **changes: object) -> Completion | ModelError:
    async with asyncio.timeout(60), asker(server, kind, **changes) as client:
        try:
            return await client.complete(question())
        except ModelError as error:
            return error


RIGHT = [
    "ok",
    "fences",
    "chatter",
    "think",
    "think-only-end",
    "no-format",
    "nul",
    "language",
    "simplified",
]  # of which the last two are the business of whoever checks languages
WRONG = {
    "429": ("overloaded", True, 4),
    "500": ("server", True, 4),
    "502-html": ("server", True, 4),
    "503": ("overloaded", True, 4),
    "html": ("server", False, 1),
    "no-reply": ("timeout", True, 1),
    "slow-headers": ("timeout", True, 1),
    "slow-body": ("timeout", True, 1),
    "hang-up": ("server", True, 4),
    "hang-up-mid-body": ("server", True, 4),
    "reset": ("server", True, 4),
    "length-too-long": ("timeout", True, 1),
    "length-too-short": ("server", True, 4),
    "not-http": ("server", True, 4),
    "not-json": ("server", True, 4),
    "json-list": ("server", False, 1),
    "other-json": ("server", False, 1),
    "error-in-200": ("server", True, 4),
    "invalid-utf8": ("server", True, 4),
    "huge": ("server", False, 1),
    "gzip": ("server", False, 1),
    "redirect": ("server", False, 1),
    "bad-key": ("refused", False, 1),
    "no-model": ("no_model", False, 1),
    "no-images": ("no_images", False, 1),
    "too-long": ("truncated", False, 1),
    "truncated": ("truncated", False, 2),
    "truncated-unsaid": ("truncated", False, 2),
    "wrong-schema": ("invalid", False, 2),
    "wrong-values": ("invalid", False, 2),
    "prose": ("invalid", False, 2),
    "empty": ("empty", False, 2),
    "think-unclosed": ("truncated", False, 2),
    "refusal": ("refused", False, 1),
    "refusal-zh": ("refused", False, 1),
}
ELSEWHERE = {"wait", "bad-image", "no-template", "429-after", "echo", "refusal-field"}


def test_every_misbehaviour_is_tried() -> None:
    of_vectors = {name for name in BEHAVIOURS if name.endswith("-vectors")}
    assert {*RIGHT, *WRONG, *ELSEWHERE, *of_vectors} == set(BEHAVIOURS)


@both_wires
@pytest.mark.parametrize("behaviour", RIGHT)
async def test_a_right_answer_is_found_whatever_stands_around_it(
    kind: Kind, behaviour: str
) -> None:
    with LlmServer(behaviour, answer=TOLD) as server:
        completion = await outcome(server, kind)
    assert isinstance(completion, Completion)
    texts = {"language": ENGLISH, "nul": "ab?c", "simplified": completion.data.answer_zh}  # type: ignore[union-attr]
    assert completion.data == Told(answer_zh=texts.get(behaviour, TOLD["answer_zh"]), score=3)
    assert completion.model == "eye"
    assert completion.attempts == len(server.asks)


@both_wires
@pytest.mark.parametrize("behaviour", WRONG)
async def test_every_misbehaviour_ends_in_an_error_that_says_why(
    kind: Kind, behaviour: str
) -> None:
    reason, is_transient, requests = WRONG[behaviour]
    with LlmServer(behaviour, answer=TOLD) as server:
        error = await outcome(server, kind, timeout_s=1.0 if reason == "timeout" else 10.0)
        server.wait_until(lambda server: server.connections == 0)
    assert isinstance(error, ModelError)
    assert (error.reason, error.transient) == (reason, is_transient)
    assert len(server.asks) == requests
    assert "'test'" in error.message
    assert error.remedy


@both_wires
async def test_what_the_model_said_is_kept_with_the_error(kind: Kind) -> None:
    with LlmServer("prose") as server:
        error = await outcome(server, kind)
    assert isinstance(error, ModelError)
    assert error.raw == "A man walks by. All is quiet."


@both_wires
async def test_a_truncated_answer_is_not_completed_by_guessing(kind: Kind) -> None:
    with LlmServer("truncated-unsaid", answer=TOLD) as server:
        error = await outcome(server, kind)
    assert isinstance(error, ModelError)
    assert error.raw == '{"answer_zh": "\u5f8c\u9580\u6c92\u6709\u4eba\u3002",'


@both_wires
async def test_failures_that_pass_are_waited_out(kind: Kind) -> None:
    with LlmServer("429", "hang-up-mid-body", "500", "ok", answer=TOLD) as server:
        completion = await outcome(server, kind)
    assert isinstance(completion, Completion)
    assert completion.attempts == 4


@both_wires
@pytest.mark.parametrize("wrong", ["wrong-schema", "truncated", "prose"])
async def test_a_wrong_answer_is_corrected_once(kind: Kind, wrong: str) -> None:
    with LlmServer(wrong, "ok", answer=TOLD) as server:
        completion = await outcome(server, kind)
    assert isinstance(completion, Completion)
    assert completion.data == Told.model_validate(TOLD)
    assert completion.attempts == 2
    again = server.asks[1]
    assert again.turns == 3
    assert again.images == (PICTURE.jpeg,)
    if wrong == "wrong-schema":
        assert "answer_zh: Field required" in again.text
        assert "verdict" in str(again.body["messages"])


@both_wires
async def test_after_an_empty_answer_no_empty_turn_is_sent(kind: Kind) -> None:
    with LlmServer("empty", "ok", answer=TOLD) as server:
        completion = await outcome(server, kind)
    assert isinstance(completion, Completion)
    assert server.asks[1].turns == 1
    assert "no answer" in server.asks[1].text


@both_wires
async def test_tokens_are_counted_over_all_rounds(kind: Kind) -> None:
    with LlmServer("prose", "ok", answer=TOLD) as server:
        completion = await outcome(server, kind)
    assert isinstance(completion, Completion)
    assert completion.prompt_tokens == sum(len(ask.text) // 3 for ask in server.asks)
    assert completion.completion_tokens == len("A man walks by. All is quiet.") // 3 + 11


async def test_a_refusal_in_the_protocols_own_field_is_one() -> None:
    with LlmServer("refusal-field", answer=TOLD) as server:
        error = await outcome(server, "openai")
    assert isinstance(error, ModelError)
    assert error.reason == "refused"


@both_wires
async def test_text_is_given_as_text_when_no_shape_is_asked_for(kind: Kind) -> None:
    with LlmServer("think", answer="It is quiet.") as server:
        async with asker(server, kind) as client:
            completion = await client.complete(question(answer=None))
    assert (completion.text, completion.data) == ("It is quiet.", None)
    assert server.asks[0].structured == "no"


@both_wires
@pytest.mark.parametrize("after", ["0.3", "Mon, 01 Dec 2025 00:00:01 GMT"])
async def test_a_server_is_left_alone_for_as_long_as_it_asks(kind: Kind, after: str) -> None:
    with LlmServer("429-after", "ok", answer=TOLD, retry_after=after) as server:
        completion = await outcome(server, kind)
    assert isinstance(completion, Completion)
    assert completion.wall_s >= (0.3 if after == "0.3" else 1.0)


@both_wires
@pytest.mark.parametrize("after", ["3600", "Mon, 01 Dec 2025 01:00:00 GMT", "15"])
async def test_nobody_waits_for_a_server_beyond_the_time_limit(kind: Kind, after: str) -> None:
    with LlmServer("429-after", "ok", retry_after=after) as server:
        error = await outcome(server, kind)
    assert isinstance(error, ModelError)
    assert (error.reason, len(server.asks)) == ("overloaded", 1)


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    with LlmServer() as server:
        pass
    error = await outcome(server, "ollama")
    assert isinstance(error, ModelError)
    assert (error.reason, error.transient) == ("unreachable", True)
    assert server.url in error.message


async def test_a_server_that_cannot_bind_answers_is_told_the_schema_in_words() -> None:
    with LlmServer("no-format", answer=TOLD) as server:
        async with asker(server, "vllm") as client:
            await client.complete(question())
            await client.complete(question())
    assert [ask.structured for ask in server.asks] == ["schema", "json", "no", "no"]
    assert server.asks[3].schema is not None
    assert set(server.asks[3].schema["properties"]) == {"answer_zh", "score"}


async def test_another_complaint_does_not_loosen_what_binds_answers() -> None:
    with LlmServer("bad-image", "bad-image", "bad-image", "ok", answer=TOLD) as server:
        async with asker(server, "vllm") as client:
            with pytest.raises(ModelError, match="invalid image format"):
                await client.complete(question())
            await client.complete(question())
    assert [ask.structured for ask in server.asks] == ["schema", "json", "no", "schema"]


@pytest.mark.parametrize("kind", ["vllm", "llamacpp"])
async def test_think_text_is_turned_off_where_the_server_takes_that(kind: Kind) -> None:
    with LlmServer("no-template", answer=TOLD) as server:
        async with asker(server, kind) as client:
            first = await client.complete(question())
            await client.complete(question())
    assert [ask.body.get("chat_template_kwargs") for ask in server.asks] == [
        {"enable_thinking": False},
        None,
        None,
    ]
    assert first.attempts == 2


async def test_a_server_of_unknown_kind_is_not_asked_to_bind_answers() -> None:
    with LlmServer(answer=TOLD) as server:
        await outcome(server, "openai")
    assert server.asks[0].structured == "no"


@pytest.mark.parametrize("structured", ["schema", "json", "no"])
@both_wires
async def test_what_a_probe_showed_decides_how_answers_are_bound(
    kind: Kind, structured: Literal["schema", "json", "no"]
) -> None:
    with LlmServer(answer=TOLD) as server:
        async with asker(server, kind) as client:
            await client.complete(question(), abilities=Abilities(structured=structured))
    assert server.asks[0].structured == structured


@both_wires
async def test_pictures_and_text_arrive_in_their_order(kind: Kind) -> None:
    second = Image(jpeg=b"second")
    with LlmServer(answer="ok") as server:
        async with asker(server, kind) as client:
            parts = ("Before.", PICTURE, "Between.", second, "After.")
            await client.complete(question(parts=parts, answer=None))
    ask = server.asks[0]
    assert ask.images == (PICTURE.jpeg, b"second")
    assert ask.system == "You look at pictures."
    if kind == "ollama":
        assert ask.text == "Before.\n[image 1]\nBetween.\n[image 2]\nAfter."
    else:
        kinds = [part["type"] for part in ask.body["messages"][1]["content"]]
        assert kinds == ["text", "image_url", "text", "image_url", "text"]


async def test_ollama_opens_a_window_that_fits_and_keeps_it() -> None:
    with LlmServer(answer="ok") as server:
        async with asker(server, "ollama") as client:
            for pictures in (0, 12, 0):
                parts = ("Look.", *[PICTURE] * pictures)
                await client.complete(question(parts=parts, answer=None))
            many = question(parts=parts + (PICTURE,) * 12, answer=None)
            await client.complete(many, abilities=Abilities(context_tokens=16_384))
    windows = [ask.body["options"]["num_ctx"] for ask in server.asks]
    assert windows == [8192, 32_768, 32_768, 16_384]


@both_wires
async def test_no_more_than_the_allowed_number_of_requests_are_under_way(kind: Kind) -> None:
    with LlmServer("wait", answer=TOLD) as server:
        async with asker(server, kind, concurrency=3) as client, asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(client.complete(question()))
            await asyncio.to_thread(server.wait_until, lambda server: server.in_flight == 3)
            server.release()
    assert len(server.asks) == 8
    assert server.peak == 3


async def test_waiting_for_ones_turn_takes_nothing_from_the_time_limit() -> None:
    with LlmServer(answer=TOLD, delay_s=0.5) as server:
        async with asker(server, "ollama", timeout_s=3.0) as client:
            answers = await asyncio.gather(*[client.complete(question()) for _ in range(7)])
    assert len(answers) == 7


@both_wires
async def test_cancelling_closes_the_connection_and_leaves_the_client_usable(kind: Kind) -> None:
    with LlmServer("wait", answer=TOLD) as server:
        async with asker(server, kind) as client:
            task = asyncio.create_task(client.complete(question()))
            await asyncio.to_thread(server.wait_until, lambda server: server.in_flight == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(server.wait_until, lambda server: server.hang_ups == 1)
            server.release()
            assert (await client.complete(question())).data == Told.model_validate(TOLD)
        await asyncio.to_thread(server.wait_until, lambda server: server.connections == 0)


@both_wires
@pytest.mark.parametrize("behaviour", sorted({"echo", "ok", "refusal-field", *WRONG}))
async def test_keys_and_pictures_are_never_shown(
    kind: Kind, behaviour: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with LlmServer(behaviour, key=KEY) as server:
        is_late = WRONG.get(behaviour, ("",))[0] == "timeout"
        result = await outcome(server, kind, timeout_s=1.0 if is_late else 10.0)
    settings = server.settings(kind)
    shown = f"{result} {result!r} {settings} {settings!r} {question()!r} {caplog.text}"
    if isinstance(result, ModelError):
        shown += f"{result.context} {result.raw}" + "".join(traceback.format_exception(result))
    assert server.asks[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in shown
    assert base64.b64encode(PICTURE.jpeg).decode()[:60] not in shown
    assert repr(PICTURE.jpeg)[2:40] not in shown


async def test_a_wrong_key_is_refused_at_once() -> None:
    with LlmServer(key=KEY) as server:
        error = await outcome(server, "openai", api_key="another")
    assert isinstance(error, ModelError)
    assert (error.reason, error.transient) == ("refused", False)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:pa55word@localhost:1",
        "ftp://localhost",
        "localhost:11434",
        "http://",
        "http://localhost:99999",
        "http://localhost:11434/v1",
        "http://localhost:11434/api/",
        "http://localhost?key=1",
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="edge") as caught:
        ModelClient(Server(name="edge", kind="ollama", url=url))
    assert "pa55word" not in str(caught.value)


def test_a_key_that_no_header_can_hold_is_refused_without_being_shown() -> None:
    with pytest.raises(UsageError) as caught:
        ModelClient(Server(name="edge", kind="nim", url="http://localhost", api_key="s3\ncret"))
    assert "cret" not in str(caught.value)


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with LlmServer(answer=TOLD) as proxy, LlmServer(answer=TOLD) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert isinstance(await outcome(server, "ollama"), Completion)
        assert proxy.connections == 0
    assert (len(server.asks), len(proxy.asks)) == (1, 0)


@both_wires
async def test_under_every_misbehaviour_at_once_each_question_ends_and_nothing_stays_open(
    kind: Kind,
) -> None:
    slow = {"wait", "429-after", "huge", *(name for name in WRONG if WRONG[name][0] == "timeout")}
    mix = {name: 0.02 for name in BEHAVIOURS if name not in slow}
    ends: list[str] = []

    async def ask(client: ModelClient) -> None:
        try:
            completion = await client.complete(question())
        except ModelError as error:
            ends.append(error.reason)
        else:
            assert isinstance(completion.data, Told)
            ends.append("right")

    with LlmServer(answer=TOLD, mix=mix, seed=1) as server:
        async with asker(server, kind, concurrency=8) as client:
            await asyncio.gather(*[ask(client) for _ in range(200)])
        server.wait_until(lambda server: server.connections == server.in_flight == 0)
    assert len(ends) == 200
    assert ends.count("right") > 50
    assert {"server", "refused", "no_model", "truncated"} < set(ends)


# Embeddings


@both_wires
@pytest.mark.parametrize("behaviour", ["ok", "shuffled-vectors"])
async def test_embeddings_come_in_batches_and_in_order(kind: Kind, behaviour: str) -> None:
    texts = [f"text {number}" for number in range(2 * EMBEDDING_BATCH + 5)]
    with LlmServer(behaviour, models=[Model(name="bge", embedding=6)]) as server:
        async with asker(server, kind) as client:
            assert await client.embed("bge", texts) == [vector(text, 6) for text in texts]
            assert await client.embed("bge", []) == []
    assert [len(ask.texts) for ask in server.asks] == [EMBEDDING_BATCH, EMBEDDING_BATCH, 5]


@both_wires
@pytest.mark.parametrize(
    "behaviour", ["few-vectors", "uneven-vectors", "nan-vectors", "zero-vectors"]
)
async def test_embeddings_that_cannot_be_used_are_refused(kind: Kind, behaviour: str) -> None:
    with LlmServer(behaviour) as server:
        async with asker(server, kind) as client:
            with pytest.raises(ModelError) as caught:
                await client.embed("bge", ["one", "two"])
    assert caught.value.reason == "invalid"


async def test_embeddings_of_unequal_sizes_in_different_batches_are_refused() -> None:
    texts = [f"text {number}" for number in range(EMBEDDING_BATCH + 1)]
    with LlmServer("ok", "uneven-vectors") as server:
        async with asker(server, "openai") as client:
            with pytest.raises(ModelError, match="unequal"):
                await client.embed("bge", texts)


@pytest.mark.parametrize(("kind", "purpose"), [("nim", "query"), ("vllm", None)])
async def test_the_purpose_of_embeddings_is_said_where_it_must_be(
    kind: Kind, purpose: str | None
) -> None:
    with LlmServer() as server:
        async with asker(server, kind) as client:
            await client.embed("bge", ["one"], purpose="query")
    assert server.asks[0].body.get("input_type") == purpose


@both_wires
@pytest.mark.parametrize("behaviour", ["429", "hang-up-mid-body", "500", "not-json"])
async def test_failed_requests_for_embeddings_are_sent_again(kind: Kind, behaviour: str) -> None:
    with LlmServer(behaviour, "ok") as server:
        async with asker(server, kind) as client:
            assert await client.embed("bge", ["one"]) == [vector("one", 8)]


# The test server itself


async def test_the_server_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "asks.jsonl"
    command = [sys.executable, "-m", "tests.servers.llm", "--behave", "500,ok", "--log", str(log)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        settings = Server(name="process", kind="ollama", url=url)
        async with ModelClient(settings, retries=QUICK) as client:
            completion = await client.complete(question())
        process.terminate()
        assert process.wait(60) == 0
    assert isinstance(completion.data, Told)
    assert len(log.read_text("utf-8").splitlines()) == 2
