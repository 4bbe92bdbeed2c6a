"""Ask a model what the persons in an alert's pictures look like, within the schema of counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from video_detective.attributes import FIELDS, WIRE, Attributes
from video_detective.attributes.base import bounded
from video_detective.errors import ModelError
from video_detective.geometry import Image as Picture
from video_detective.llm.base import Completion, Image, Request
from video_detective.media.pictures import encode_jpeg
from video_detective.narration.asking import Prompt, sections_of
from video_detective.narration.catalogue import Language

Ask = Callable[[Request], Awaitable[Completion]]
VERSION = 1
"""Of the prompt."""
ANSWER_TOKENS = 600
"""27 short names with numbers are some 250."""


def _count(value: object) -> object:
    """A count; what is none (a word, a negative number) is not known."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if 0 <= number < 1e6 and number == int(number) else None


Count = Annotated[Annotated[int, Field(ge=0)] | None, BeforeValidator(_count)]

_FIELDS: dict[str, Any] = {WIRE[name]: (Count, None) for name in FIELDS}
AttributesReply: type[BaseModel] = create_model(
    "AttributesReply",
    __config__=ConfigDict(frozen=True, extra="ignore"),
    __doc__="How many of the persons have each attribute; null where it cannot be told.",
    **_FIELDS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAttributes:
    """What a model said of the persons.

    Args:
        attributes: Counts of 0 to the number of persons; None where it said nothing sensible.
        completion: What it took; None when nobody had to be asked.
    """

    attributes: Attributes
    completion: Completion | None


@cache
def attributes_prompt(language: Language) -> Prompt:
    """The current version of the prompt."""
    name = f"attributes.v{VERSION}.{language}"
    resource = files("video_detective.insights").joinpath(f"prompts/{name}.txt")
    return Prompt(name=name, sections=sections_of(resource.read_text(encoding="utf-8")))


async def ask_attributes(
    ask: Ask, pictures: Sequence[Picture], persons: int, language: Language, model: str
) -> AskedAttributes:
    """Have a model count attributes.

    Args:
        ask: Puts a question to the model server.
        pictures: Of the same moment, or of the same persons; as large as they are to be shown.
        persons: How many are in view; no count exceeds it, and groups of which each person has
            one only (gender, age, direction, colour) do not exceed it together.
        language: Of the prompt.
        model: As the server names it.

    Returns:
        All None when nobody is in view or there is no picture: then nobody is asked.

    Raises:
        ModelError: there is no usable answer.
    """
    if persons <= 0 or not pictures:
        return AskedAttributes(attributes=Attributes(), completion=None)
    asked = attributes_prompt(language)
    parts: list[str | Image] = [asked.fill("facts", persons=persons)]
    parts += [Image(jpeg=encode_jpeg(picture)) for picture in pictures]
    parts.append(asked.fill("task", persons=persons, fields=", ".join(WIRE.values())))
    completion = await ask(
        Request(
            model=model,
            system=asked.sections["system"],
            parts=tuple(parts),
            answer=AttributesReply,
            max_tokens=ANSWER_TOKENS,
        )
    )
    if completion.data is None:
        raise ModelError(
            "the model gave no counts of attributes",
            remedy="Use a model that answers in JSON",
            reason="invalid",
            transient=False,
            raw=completion.text,
        )
    said = completion.data.model_dump()
    counts = {name: said[wire] for name, wire in WIRE.items()}
    return AskedAttributes(attributes=bounded(Attributes(**counts), persons), completion=completion)
