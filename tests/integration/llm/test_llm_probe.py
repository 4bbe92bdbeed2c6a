"""What a probe says of servers that can everything, little, or nothing."""

import asyncio
from typing import Any

import numpy as np
import pytest
from tests.servers.llm import LlmServer
from tests.servers.llm_protocol import BEHAVIOURS, Ask, Model, fitting

from video_detective.llm.base import Abilities, Kind
from video_detective.llm.calls import Retries
from video_detective.llm.client import ModelClient
from video_detective.llm.eye_chart import draw_signs
from video_detective.llm.probe import CONTEXT_FOR_IMAGES, Finding, probe

QUICK = Retries(attempts=2, first_s=0.01, longest_s=0.02)
SEED = 7
KINDS: tuple[Kind, ...] = ("ollama", "openai", "lmstudio", "vllm", "llamacpp", "nim")
EYE = Model(name="eye", embedding=8)

SIGNS = {
    sign.image.jpeg: {"digit": sign.digit, "colour": sign.colour}
    for sign in draw_signs(2, np.random.default_rng(SEED))
}


def seeing(ask: Ask) -> Any:
    """A model that follows schemas and sees."""
    if ask.schema is None:
        return "one, two, three"
    if "number" in ask.schema["properties"]:
        return {"colour": "green", "number": 4711}
    seen = [SIGNS[image] for image in ask.images]
    return seen[0] if len(seen) == 1 else dict(zip(("first", "second"), seen, strict=True))


def blind(ask: Ask) -> Any:
    """A model that follows schemas and guesses what pictures show."""
    return fitting(ask.schema) if ask.images and ask.schema else seeing(ask)


def seeing_the_last(ask: Ask) -> Any:
    """A model that takes the last picture for all of them."""
    if len(ask.images) < 2:
        return seeing(ask)
    return {"first": SIGNS[ask.images[-1]], "second": SIGNS[ask.images[-1]]}


def unbound(ask: Ask) -> Any:
    """A server that takes a schema and does not mind it; the model does as it is told."""
    return seeing(ask) if "JSON schema" in ask.text else "It is green, and says 4711."


async def examine(
    server: LlmServer,
    kind: Kind = "ollama",
    *,
    images: bool = True,
    embeddings: bool = False,
    model: str = "eye",
    timeout_s: float = 30.0,
) -> Finding:
    settings = server.settings(kind, timeout_s=timeout_s)
    async with asyncio.timeout(30), ModelClient(settings, retries=QUICK) as client:
        return await probe(client, model, images=images, embeddings=embeddings, seed=SEED)


def keys(finding: Finding) -> list[str]:
    return [problem.key for problem in finding.problems]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_can_everything_has_no_problem(kind: Kind) -> None:
    with LlmServer(answer=seeing, models=[EYE]) as server:
        finding = await examine(server, kind)
    abilities = finding.abilities
    assert finding.problems == ()
    assert (abilities.structured, abilities.images, abilities.several_images) == (
        "schema",
        True,
        True,
    )
    assert abilities.context_tokens == EYE.context
    assert abilities.tokens_per_s is not None
    assert abilities.gpu_share == (1.0 if kind == "ollama" else None)


async def test_the_speed_is_the_servers_own_count() -> None:
    with LlmServer(answer=seeing, models=[Model(name="eye", tokens_per_s=43.0)]) as server:
        finding = await examine(server)
    assert finding.abilities.tokens_per_s == pytest.approx(43.0, rel=1e-3)


async def test_a_model_that_guesses_does_not_pass_for_one_that_sees() -> None:
    with LlmServer(answer=blind, models=[EYE]) as server:
        finding = await examine(server)
    assert keys(finding) == ["images"]
    assert not finding.abilities.images
    assert finding.abilities.structured == "schema"


async def test_a_model_that_sees_one_picture_only_is_told_apart() -> None:
    with LlmServer(answer=seeing_the_last, models=[EYE]) as server:
        finding = await examine(server)
    assert keys(finding) == ["several_images"]
    assert (finding.abilities.images, finding.abilities.several_images) == (True, False)


async def test_pictures_are_not_sent_to_a_model_for_text() -> None:
    with LlmServer(answer=blind, models=[EYE]) as server:
        finding = await examine(server, images=False)
    assert finding.problems == ()
    assert not any(ask.images for ask in server.asks)


@pytest.mark.parametrize("kind", ["ollama", "openai"])
async def test_a_server_that_ignores_the_schema_is_found_out(kind: Kind) -> None:
    with LlmServer(answer=unbound, models=[EYE], binds="no") as server:
        finding = await examine(server, kind, images=False)
    assert finding.abilities.structured == "json"


async def test_a_server_that_refuses_to_bind_answers_still_gives_them() -> None:
    with LlmServer("no-format", answer=seeing, models=[EYE]) as server:
        finding = await examine(server, "openai")
    assert keys(finding) == ["schema"]
    assert (finding.abilities.structured, finding.abilities.images) == ("no", True)


async def test_a_model_that_cannot_copy_is_no_use() -> None:
    answer = {"colour": "red", "number": 1}
    with LlmServer(answer=answer, models=[EYE]) as server:
        finding = await examine(server, images=False)
    assert keys(finding) == ["answers"]


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("ollama", "ollama pull ear"),
        ("lmstudio", "lms get ear"),
        ("vllm", "vllm serve ear"),
        ("nim", "NIM of ear"),
        ("openai", "Load ear"),
    ],
)
async def test_a_model_that_is_not_there_is_named_with_the_way_to_get_it(
    kind: Kind, remedy: str
) -> None:
    with LlmServer(models=[EYE]) as server:
        finding = await examine(server, kind, model="ear")
    assert keys(finding) == ["model"]
    assert "'ear'" in finding.problems[0].found
    assert "eye" in finding.problems[0].found
    assert remedy in finding.problems[0].remedy
    assert not server.asks


async def test_a_name_without_tag_means_the_latest_one() -> None:
    with LlmServer(answer=seeing, models=[Model(name="eye:latest"), EYE]) as server:
        assert (await examine(server)).problems == ()


@pytest.mark.parametrize("kind", KINDS)
async def test_too_small_a_context_is_a_problem_with_its_remedy(kind: Kind) -> None:
    with LlmServer(answer=seeing, models=[Model(name="eye", context=4096)]) as server:
        finding = await examine(server, kind)
    assert keys(finding) == ["context"]
    assert "4096" in finding.problems[0].found
    assert str(CONTEXT_FOR_IMAGES) in finding.problems[0].found
    assert finding.problems[0].remedy


async def test_a_model_that_is_partly_in_main_memory_is_a_problem() -> None:
    with LlmServer(answer=seeing, models=[Model(name="eye", on_gpu=0.6)]) as server:
        finding = await examine(server)
    assert keys(finding) == ["gpu"]
    assert finding.abilities.gpu_share == pytest.approx(0.6)
    assert "60%" in finding.problems[0].found


async def test_too_slow_a_model_for_the_time_limit_is_a_problem() -> None:
    with LlmServer(answer=seeing, models=[Model(name="eye", tokens_per_s=2.0)]) as server:
        finding = await examine(server)
    assert keys(finding) == ["speed"]
    assert "timeout_s" in finding.problems[0].remedy


@pytest.mark.parametrize("kind", KINDS)
async def test_the_size_of_embeddings_is_learnt(kind: Kind) -> None:
    with LlmServer(models=[Model(name="eye", embedding=24, chats=False)]) as server:
        finding = await examine(server, kind, images=False, embeddings=True)
    assert finding.abilities.embedding_size == 24
    assert finding.problems == ()


async def test_a_model_without_embeddings_is_a_problem_where_they_are_wanted() -> None:
    with LlmServer(models=[Model(name="eye")]) as server:
        finding = await examine(server, images=False, embeddings=True)
    assert keys(finding) == ["embeddings"]


async def test_a_model_for_embeddings_is_a_problem_where_answers_are_wanted() -> None:
    with LlmServer(models=[Model(name="eye", embedding=8, chats=False)]) as server:
        finding = await examine(server, images=False)
    assert keys(finding) == ["answers"]


async def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    with LlmServer() as server:
        pass
    finding = await examine(server)
    assert finding.abilities == Abilities()
    assert keys(finding) == ["server"]
    assert server.url in finding.problems[0].found


async def test_a_wrong_key_is_said_to_be_so() -> None:
    with LlmServer(models=[EYE], key="right") as server:
        settings = server.settings("vllm", api_key="wrong")
        async with ModelClient(settings, retries=QUICK) as client:
            finding = await probe(client, "eye", images=True)
    assert keys(finding) == ["key"]


HARMLESS = {
    "ok",
    "no-template",
    "think",
    "think-only-end",
    "refusal-field",
    "no-format",
    "fences",
    "chatter",
}


@pytest.mark.parametrize("kind", ["ollama", "openai"])
@pytest.mark.parametrize(
    "behaviour",
    sorted(name for name in BEHAVIOURS if name not in HARMLESS and "-vectors" not in name),
)
async def test_a_probe_of_a_misbehaving_server_ends_and_says_what_is_wrong(
    kind: Kind, behaviour: str
) -> None:
    with LlmServer(behaviour, answer=seeing, models=[EYE]) as server:
        finding = await examine(server, kind, timeout_s=0.5)
        server.wait_until(lambda server: server.connections == 0)
    assert {"server", "answers", "model", "key"} & set(keys(finding))
    assert finding.abilities.structured == "no"
    assert all(problem.found and problem.remedy for problem in finding.problems)


@pytest.mark.parametrize("behaviour", ["no-reply", "429", "hang-up", "empty", "no-images"])
async def test_a_server_that_fails_at_pictures_keeps_what_it_showed_before(behaviour: str) -> None:
    with LlmServer("ok", behaviour, answer=seeing, models=[EYE]) as server:
        finding = await examine(server, timeout_s=1.0)
    assert finding.abilities.structured == "schema"
    assert not finding.abilities.images
    assert finding.problems
