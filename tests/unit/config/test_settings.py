import pytest

from video_detective.config.settings import Settings, load_settings, parse_settings, qdrant_key
from video_detective.errors import InvalidRulesError, UsageError

WHOLE = """\
schema_version: 1
servers:
  local: {kind: ollama, url: "http://127.0.0.1:11434/"}
  big: {kind: vllm, url: "https://gpu.internal:8000", api_key_env: GPU_KEY, concurrency: 8}
narration: {server: local, model: "qwen3-vl:8b"}
answers: {server: big, model: llama}
embeddings:
  server: local
  model: bge-m3
  qdrant: {url: "http://127.0.0.1:6333"}
"""


def test_a_data_directory_without_a_file_has_the_defaults(tmp_path):
    assert load_settings(tmp_path) == Settings()


def test_a_server_is_ready_to_be_called_with_its_key_from_the_environment():
    settings = parse_settings(WHOLE)
    server = settings.server("big", {"GPU_KEY": "s3cret"})
    assert (server.url, server.api_key, server.concurrency) == (
        "https://gpu.internal:8000",
        "s3cret",
        8,
    )
    assert settings.server("local", {}).url == "http://127.0.0.1:11434"


def test_a_key_that_is_not_in_the_environment_is_named():
    with pytest.raises(UsageError, match="GPU_KEY"):
        parse_settings(WHOLE).server("big", {})


@pytest.mark.parametrize("key", ["s3cret\n", "s3 cret", "s3cr\u00e9t"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(key):
    whole = WHOLE.replace('6333"', '6333", api_key_env: GPU_KEY')
    settings = parse_settings(whole)
    assert settings.embeddings is not None
    qdrant = settings.embeddings.qdrant
    assert qdrant is not None
    for ask in (
        lambda: settings.server("big", {"GPU_KEY": key}),
        lambda: qdrant_key(qdrant, {"GPU_KEY": key}),
    ):
        with pytest.raises(UsageError, match="GPU_KEY") as raised:
            ask()
        assert "s3" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "line", "field", "says"),
    [
        (("server: local, model", "server: nowhere, model"), 5, "narration.server", "local, big"),
        (('url: "http://127.0.0.1:11434/"', 'url: "ftp://x"'), 3, "servers.local.url", "http"),
        (
            ("https://gpu.internal:8000", "https://me:pw@gpu.internal"),
            4,
            "servers.big.url",
            "api_key_env",
        ),
        (("kind: vllm", "kind: gpt"), 4, "servers.big.kind", "gpt"),
        (("concurrency: 8", "concurrency: 0"), 4, "servers.big.concurrency", "0"),
        (("concurrency: 8", "speed: 8"), 4, "servers.big.speed", "no such field"),
        (("127.0.0.1:6333", "127.0.0.1:99999"), 10, "embeddings.qdrant.url", "address"),
        (("127.0.0.1:6333", "127.0.0.1:6333/a b"), 10, "embeddings.qdrant.url", "spaces"),
        (("127.0.0.1:11434/", "127.0.0.1\\a"), 3, "servers.local.url", "control characters"),
        (("127.0.0.1:11434/", "127.0.0.1:11434/v1"), 3, "servers.local.url", "/v1"),
        (("GPU_KEY", "sk-me:pw"), 4, "servers.big.api_key_env", "environment variable"),
        (("gpu.internal", "me:pw@gpu" + "u" * 500), 4, "servers.big.url", "500 characters"),
    ],
)
def test_every_mistake_is_told_with_its_line_and_field(change, line, field, says):
    with pytest.raises(InvalidRulesError) as raised:
        parse_settings(WHOLE.replace(*change))
    (problem,) = raised.value.problems
    assert problem.startswith(f"settings.yaml:{line}: {field}: ")
    assert says in problem
    assert "me:pw" not in problem


def test_a_file_that_is_no_mapping_is_refused():
    with pytest.raises(InvalidRulesError, match="schema_version"):
        parse_settings("- 1")
