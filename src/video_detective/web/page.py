"""Serves the page and its files. What it shows comes from the REST interface."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

LANGUAGES = ("zh-TW", "en")
_HERE = Path(str(resources.files("video_detective.web")))
_COOKIE = "vd_language"


def add_pages(app: FastAPI) -> None:
    """Add the page and its static files to the application."""
    catalogues = {
        language: json.loads((_HERE / "catalogues" / f"{language}.json").read_text("utf-8"))
        for language in LANGUAGES
    }
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
    )
    router = APIRouter(include_in_schema=False)

    @router.get("/", response_class=HTMLResponse)
    async def start(
        request: Request, lang: Annotated[str | None, Query(max_length=16)] = None
    ) -> HTMLResponse:
        language = _choose(lang or request.cookies.get(_COOKIE), request)
        page = environment.get_template("index.html").render(
            language=language, text=catalogues[language], languages=LANGUAGES
        )
        answer = HTMLResponse(page)
        if lang in LANGUAGES:
            answer.set_cookie(_COOKIE, lang, max_age=31_536_000, samesite="strict")
        return answer

    app.include_router(router)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")


def _choose(wanted: str | None, request: Request) -> str:
    """The language asked for, else English for browsers that want it and not Chinese."""
    if wanted in LANGUAGES:
        return wanted
    accepted = request.headers.get("Accept-Language", "").lower()
    english, chinese = accepted.find("en"), accepted.find("zh")
    return "en" if english >= 0 and (chinese < 0 or english < chinese) else "zh-TW"
