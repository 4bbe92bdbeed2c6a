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
from video_detective.services.report_view import ReportView, ToldSummary
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
    summary: ToldSummary | None = None,
) -> Report:
    """The report of a period: ``find`` and ``render``.

    Args:
        workspace: Where the events are.
        since: Begin, RFC 3339; without offset in the camera's (or the first camera's) zone.
        until: End, exclusive.
        now_ns: The time it is.
        camera: Camera id; empty means all.
        language: One of ``LANGUAGES``.
        summary: A model's words, when one was asked.

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
    # Hundreds of milliseconds of pictures and text: not on the loop that serves everybody.
    return await asyncio.to_thread(render, findings, workspace, chosen, summary)


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
