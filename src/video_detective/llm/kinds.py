"""What each kind of model server is known to do; whatever is not known is "no"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from video_detective.llm.base import Kind, Structured
from video_detective.llm.ollama import OLLAMA
from video_detective.llm.openai import OPENAI
from video_detective.llm.wire import Json, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """A row of the table.

    Args:
        wire: The protocol it speaks.
        structured: What its documentation promises; a probe finds out what holds.
        chooses_context: The asker sets the window of every request.
        takes_any_name: It serves one model and answers whatever model is asked for.
        extra: Fields of a chat request that turn think-text off.
        embeds_by_purpose: Embeddings must be asked for as of a ``query`` or a ``passage``.
        context_path: Where it tells the window of its models; None: nowhere.
        loaded_path: Where it tells how much of a loaded model is in GPU memory; None: nowhere.
        get_model: How a model comes onto it; ``{model}`` is its name.
        widen_context: How its window is made larger.
    """

    wire: Wire
    structured: Structured = "no"
    chooses_context: bool = False
    takes_any_name: bool = False
    extra: Json | None = None
    embeds_by_purpose: bool = False
    context_path: str | None = "/v1/models"
    loaded_path: str | None = None
    get_model: str = "Load {model} on the server, or name one that it has"
    widen_context: str = "Start the server with a larger context"


_NO_THINKING: Json = MappingProxyType({"chat_template_kwargs": {"enable_thinking": False}})

KINDS: Mapping[Kind, Traits] = MappingProxyType(
    {
        # docs.ollama.com/capabilities/structured-outputs
        "ollama": Traits(
            wire=OLLAMA,
            structured="schema",
            chooses_context=True,
            context_path="/api/show",
            loaded_path="/api/ps",
            get_model="Run `ollama pull {model}` on the server",
            widen_context="Choose a model with a longer context",
        ),
        "openai": Traits(wire=OPENAI),
        # lmstudio.ai/docs/advanced/structured-output; it refuses `json_object` with a 400
        "lmstudio": Traits(
            wire=OPENAI,
            structured="schema",
            context_path="/api/v0/models",
            get_model="Run `lms get {model}` and `lms load {model}` on the server",
            widen_context="Load the model with a larger `--context-length`",
        ),
        # docs.vllm.ai/en/latest/features/structured_outputs
        "vllm": Traits(
            wire=OPENAI,
            structured="schema",
            extra=_NO_THINKING,
            get_model="Start vLLM with `vllm serve {model}`, or name the model that it serves",
            widen_context="Start vLLM with a larger `--max-model-len`",
        ),
        # github.com/ggml-org/llama.cpp, tools/server/README.md
        "llamacpp": Traits(
            wire=OPENAI,
            structured="schema",
            takes_any_name=True,
            context_path="/props",
            extra=_NO_THINKING,
            get_model="Start llama-server with the file of {model}",
            widen_context=(
                "Start llama-server with a larger `--ctx-size` (it is shared by all `--parallel`)"
            ),
        ),
        # docs.nvidia.com/nim/vision-language-models/latest/structured-generation.html
        "nim": Traits(
            wire=OPENAI,
            structured="schema",
            embeds_by_purpose=True,
            get_model="Start the NIM of {model}, or name the model that it serves",
            widen_context="Start the NIM with a larger `NIM_MAX_MODEL_LEN`",
        ),
    }
)
"""Every kind of server, by what the settings call it."""
