"""Serves the page and its files. What it shows comes from the REST interface."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request

from video_detective.services.workspace import Workspace

LANGUAGES = ("zh-TW", "en")
_HERE = Path(str(resources.files("video_detective.web")))
_COOKIE = "vd_language"


def add_pages(app: FastAPI, workspace: Workspace) -> None:
    """Add the page, those to come in by, and their static files to the application."""
    router = APIRouter(include_in_schema=False)

    @router.get("/", response_class=HTMLResponse)
    async def start(
        request: Request, lang: Annotated[str | None, Query(max_length=16)] = None
    ) -> HTMLResponse:
        return _in_language(HTMLResponse(_render("index.html", _language(request))), lang)

    for name in ("sign-in", "set-up", "signed-out"):
        router.add_api_route(f"/{name}", _door(workspace, name), response_class=HTMLResponse)

    app.include_router(router)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")


def _door(workspace: Workspace, name: str) -> Callable[..., Awaitable[Response]]:
    """A page for people without a session."""

    async def page(
        request: Request, lang: Annotated[str | None, Query(max_length=16)] = None
    ) -> Response:
        if name == "sign-in" and request.state.caller is not None:
            return RedirectResponse("/", status_code=303)
        _, accounts = await workspace.database.accounts.page(limit=1)
        values = {
            "has_accounts": accounts > 1,
            # Browsers keep the strict cookie back from those who come from another site.
            "is_from_elsewhere": request.headers.get("Sec-Fetch-Site")
            in {"cross-site", "same-site"},
        }
        return _in_language(
            HTMLResponse(_render(f"{name}.html", _language(request), **values)), lang
        )

    return page


def _in_language(answer: HTMLResponse, lang: str | None) -> HTMLResponse:
    """The page, and a cookie of the language that was chosen on it."""
    if lang in LANGUAGES:
        answer.set_cookie(_COOKIE, lang, max_age=31_536_000, samesite="strict")
    return answer


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
