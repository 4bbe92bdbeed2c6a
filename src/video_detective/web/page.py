"""Serves the page and its files. What it shows comes from the REST interface."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request

LANGUAGES = ("zh-TW", "en")
_HERE = Path(str(resources.files("video_detective.web")))
_COOKIE = "vd_language"
# The one page that cannot have the style sheet: without a session there are no files.
_SIGNED_OUT_STYLE = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1rem}"
    "h1{font-size:1.4rem}"
)


def add_pages(app: FastAPI) -> None:
    """Add the page and its static files to the application."""
    router = APIRouter(include_in_schema=False)

    @router.get("/", response_class=HTMLResponse)
    async def start(
        request: Request, lang: Annotated[str | None, Query(max_length=16)] = None
    ) -> HTMLResponse:
        answer = HTMLResponse(_render("index.html", _language(request)))
        if lang in LANGUAGES:
            answer.set_cookie(_COOKIE, lang, max_age=31_536_000, samesite="strict")
        return answer

    app.include_router(router)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")


def signed_out_page(request: Request) -> HTMLResponse:
    """What a person without a session sees: how to get one. Status 401.

    The link on it helps those who came from another site: browsers keep a new strict cookie back
    until the next step on this one.
    """
    digest = base64.b64encode(hashlib.sha256(_SIGNED_OUT_STYLE.encode()).digest()).decode()
    return HTMLResponse(
        _render("signed_out.html", _language(request), style=_SIGNED_OUT_STYLE),
        status_code=401,
        headers={
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
                "frame-ancestors 'none'; form-action 'none'"
            )
        },
    )


def _render(template: str, language: str, **values: object) -> str:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
    )
    text = json.loads((_HERE / "catalogues" / f"{language}.json").read_text("utf-8"))
    return environment.get_template(template).render(
        language=language, text=text, languages=LANGUAGES, **values
    )


def _language(request: Request) -> str:
    """The language asked for, else English for browsers that want it and not Chinese."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(_COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    accepted = request.headers.get("Accept-Language", "").lower()
    english, chinese = accepted.find("en"), accepted.find("zh")
    return "en" if english >= 0 and (chinese < 0 or english < chinese) else "zh-TW"
