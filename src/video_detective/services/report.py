"""What happened between two times, as one self-contained HTML file."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

import video_detective
from video_detective.errors import UsageError
from video_detective.narration.catalogue import LANGUAGES, Language
from video_detective.services.report_findings import Findings, figures_of, find
from video_detective.services.report_pictures import pictures_of
from video_detective.services.report_view import ReportView, ToldSentence, ToldSummary
from video_detective.services.wording import word_answer
from video_detective.services.workspace import Workspace

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report.

    Args:
        html: The file's text; it refers to nothing outside itself and has no script.
        figures: The numbers in it (``figures_of``).
        policy: Content-Security-Policy under which it shows all it has: its own style by hash,
            and pictures from data addresses.
    """

    html: str
    figures: dict[str, Any]
    policy: str


async def make_report(
    workspace: Workspace,
    *,
    since: str,
    until: str,
    now_ns: int,
    camera: str = "",
    language: str = "zh-TW",
    use_model: bool = True,
) -> Report:
    """The report of a period: ``find`` and ``render``.

    Args:
        workspace: Where the events are.
        since: Begin, RFC 3339; without offset in the camera's (or the first camera's) zone.
        until: End, exclusive.
        now_ns: The time it is.
        camera: Camera id; empty means all.
        language: One of ``LANGUAGES``.
        use_model: Have the model that words answers sum up the gravest events, where one is set;
            only sentences whose citations hold are shown.

    Raises:
        MissingError: there is no such camera.
        UsageError: a time is wrong, the period is empty, or there is no such language.
        StorageError: the database or the pictures cannot be read.
    """
    chosen = next((known for known in LANGUAGES if known == language), None)
    if chosen is None:
        raise UsageError(
            f"There is no report in the language {language[:40]!r}",
            remedy=f"Use one of: {', '.join(LANGUAGES)}.",
        )
    findings = await find(workspace, since=since, until=until, camera=camera, now_ns=now_ns)
    summary = await _summary(workspace, findings, now_ns, chosen) if use_model else None
    # Hundreds of milliseconds of pictures and text: not on the loop that serves everybody.
    return await asyncio.to_thread(render, findings, workspace, chosen, summary)


_REQUEST: dict[Language, str] = {
    "zh-TW": "請總結這段時間的重點事件。",
    "en": "Sum up the main events of this period.",
}


async def _summary(
    workspace: Workspace, findings: Findings, now_ns: int, language: Language
) -> ToldSummary | None:
    """A model's summary of the gravest events; None without a model or a sentence that holds."""
    places = await workspace.places()
    figures = figures_of(findings)
    worded = await word_answer(
        workspace,
        _REQUEST[language],
        findings.gravest,
        places=places,
        since_ns=findings.axis.since_ns,
        until_ns=findings.axis.until_ns,
        period=f"{figures['from']} ~ {figures['to']}",
        total=figures["total"],
        now_ns=now_ns,
        language=language,
    )
    if not worded.sentences or worded.model is None:
        return None
    return ToldSummary(
        sentences=tuple(ToldSentence(text=s.text, event_ids=s.cites) for s in worded.sentences),
        model=worded.model,
    )


def render(
    findings: Findings,
    workspace: Workspace,
    language: Language,
    summary: ToldSummary | None = None,
) -> Report:
    """Make the file. Blocks: reads and shrinks pictures.

    Raises:
        StorageError: the pictures cannot be read.
    """
    text: dict[str, str] = json.loads((_TEMPLATES / f"report.{language}.json").read_text("utf-8"))
    style = (_TEMPLATES / "report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    figures = figures_of(findings)
    pictures = pictures_of(findings.gravest, workspace.blobs)
    html = environment.get_template("report.html").render(
        text=text,
        language=language,
        style=Markup(style),  # noqa: S704 - our own file
        policy=policy,
        version=video_detective.__version__,
        figures=figures,
        **ReportView(findings, language, text).values(pictures, summary),
    )
    return Report(html=html, figures=figures, policy=policy)
