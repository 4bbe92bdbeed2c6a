"""Serves the pages and their files. What they show comes from the REST interface."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.staticfiles import NotModifiedResponse
from starlette.types import Scope

from video_detective.narration.catalogue import LANGUAGES, Language, event_name
from video_detective.rules import EVENT_TYPES
from video_detective.services.access import Scope as Permission
from video_detective.services.workspace import Workspace
from video_detective.web.compact import compact_script, compact_style

THEMES = ("light", "dark")
_HERE = Path(str(resources.files("video_detective.web")))
_LANGUAGE_COOKIE, _THEME_COOKIE = "vd_language", "vd_theme"
_IMPORT = re.compile(r'^(?:import|export)\b[^;]*?"\./([\w-]+\.js)";', re.MULTILINE)
"""A module that a module needs at once; ``import()`` is fetched when it comes to that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: ``templates/<name>.html``, ``static/<name>.js`` and, where there is one, its CSS.

    Args:
        name: Of its files and of its own catalogue.
        path: Where it is served.
        shared: Further catalogues whose texts its modules ask for, and whose style it has.
        later: Likewise, but its modules fetch both when they are needed.
        needs: Whom the navigation offers it to; None leaves it out.
    """

    name: str
    path: str
    shared: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    needs: Permission | None = "analytics:read"

    @property
    def catalogues(self) -> tuple[str, ...]:
        """Whose texts the page has in the end, later ones before earlier ones."""
        return ("common", *self.shared, *self.later, self.name)

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that run before the page can be used, its own first."""
        return _modules(f"{self.name}.js")

    @property
    def styles(self) -> tuple[str, ...]:
        """The style sheets of its parts and its own, where there are any."""
        names = [f"{name}.css" for name in (*self.shared, self.name)]
        return tuple(name for name in names if (_HERE / "static" / name).is_file())


PAGES = (
    Page(name="ask", path="/", later=("evidence",)),
    Page(name="review", path="/review", shared=("evidence",)),
    Page(name="cameras", path="/cameras", shared=("scene",), needs="devices:read"),
    Page(name="insights", path="/insights", shared=("evidence",)),
    Page(name="statistics", path="/statistics"),
    Page(name="videos", path="/videos"),
    Page(name="report", path="/report", shared=("statistics",)),
    Page(name="settings", path="/settings"),
    Page(name="welcome", path="/welcome", shared=("scene",), needs=None),
)
"""In the order of the navigation."""
_MARKUP_ONLY = ("markup", "themes")
"""Texts that only templates ask for; scripts are not given them."""
_INDENT = re.compile(r"\n\s+")
_DOORS = ("sign-in", "set-up", "signed-out")


def add_pages(app: FastAPI, workspace: Workspace) -> None:
    """Add the pages, those to come in by, and their static files to the application."""
    router = APIRouter(include_in_schema=False)
    for page in PAGES:
        router.add_api_route(page.path, _inside(page), response_class=HTMLResponse)
    for name in _DOORS:
        router.add_api_route(f"/{name}", _door(workspace, name), response_class=HTMLResponse)
    app.include_router(router)
    app.mount("/static/texts", _Static(directory=_HERE / "catalogues"), name="texts")
    app.mount("/static", _Static(directory=_HERE / "static"), name="static")


class _Static(StaticFiles):
    """Files that a browser keeps, and asks each time whether they are still the same."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        self._known = {
            file.relative_to(directory).as_posix(): file for file in directory.rglob("*")
        }

    async def get_response(self, path: str, scope: Scope) -> Response:
        file = self._known.get(path)
        if file is not None and file.is_file() and scope["method"] in {"GET", "HEAD"}:
            # A page asks for many at once: no other thread is needed to look for them.
            answer = self.file_response(file, file.stat(), scope)
        else:
            answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        sent = _compact(Path(full_path), stat_result.st_mtime_ns)
        if sent is None:
            return super().file_response(full_path, stat_result, scope, status_code)
        content, media_type, tag = sent
        headers = Headers({"ETag": tag})
        if self.is_not_modified(headers, Headers(scope=scope)):
            return NotModifiedResponse(headers)
        return Response(content, status_code, headers, media_type)


@cache
def _compact(path: Path, _changed_ns: int) -> tuple[bytes, str, str] | None:
    """What is sent of a file, its type and its tag; None for files that are sent as they are."""
    if path.suffix == ".js":
        text, media_type = compact_script(path.read_text("utf-8")), "text/javascript"
    elif path.suffix == ".css":
        text, media_type = compact_style(path.read_text("utf-8")), "text/css"
    elif path.suffix == ".json":
        text = json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False)
        media_type = "application/json"
    else:
        return None
    content = text.encode()
    return content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


Chosen = Annotated[str | None, Query(alias="lang", max_length=16)]


def _inside(page: Page) -> Callable[..., Awaitable[Response]]:
    """A page for people with a session."""

    async def show(request: Request, lang: Chosen = None) -> Response:
        scopes = request.state.caller.scopes
        answer = _render(
            request,
            f"{page.name}.html",
            tuple(name for name in page.catalogues if name not in page.later),
            page=page,
            pages=[other for other in PAGES if other.needs in scopes],
        )
        return _in_language(answer, lang)

    return show


def _door(workspace: Workspace, name: str) -> Callable[..., Awaitable[Response]]:
    """A page for people without a session."""

    async def show(request: Request, lang: Chosen = None) -> Response:
        if name == "sign-in" and request.state.caller is not None:
            return RedirectResponse("/", status_code=303)
        _, accounts = await workspace.database.accounts.page(limit=1)
        answer = _render(
            request,
            f"{name}.html",
            ("common", "door"),
            has_accounts=accounts > 1,
            # Browsers keep the strict cookie back from those who come from another site.
            is_from_elsewhere=request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"},
        )
        return _in_language(answer, lang)

    return show


def _in_language(answer: Response, lang: str | None) -> Response:
    """The page, and a cookie of the language that was chosen on it."""
    if lang in LANGUAGES:
        answer.set_cookie(_LANGUAGE_COOKIE, lang, max_age=31_536_000, samesite="strict")
    return answer


def _render(
    request: Request, template: str, catalogues: tuple[str, ...], **values: object
) -> HTMLResponse:
    language = _language(request)
    theme = request.cookies.get(_THEME_COOKIE)
    words = texts(language, catalogues)
    html = (
        _environment()
        .get_template(template)
        .render(
            language=language,
            languages=LANGUAGES,
            theme=theme if theme in THEMES else "",
            text=words,
            query=request.query_params,
            sent={key: value for key, value in words.items() if key not in _MARKUP_ONLY},
            **values,
        )
    )
    return HTMLResponse(_INDENT.sub("\n", html))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Chinese as it is: written as escapes it would take twice the bytes.
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    return environment


@cache
def texts(language: Language, catalogues: tuple[str, ...]) -> Mapping[str, Any]:
    """The texts of some catalogues as one, later ones before earlier ones; names of events too."""
    folder = _HERE / "catalogues" / language
    merged: dict[str, Any] = {"event_types": {e: event_name(e, language) for e in EVENT_TYPES}}
    for name in catalogues:
        merged |= json.loads((folder / f"{name}.json").read_text("utf-8"))
    return merged


@cache
def _modules(entry: str) -> tuple[str, ...]:
    found = [entry]
    for name in found:
        source = (_HERE / "static" / name).read_text("utf-8")
        found += [other for other in dict.fromkeys(_IMPORT.findall(source)) if other not in found]
    return tuple(found)


def _language(request: Request) -> Language:
    """The language asked for, else English for browsers that want it and not Chinese."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(_LANGUAGE_COOKIE)):
        for language in LANGUAGES:
            if wanted == language:
                return language
    accepted = request.headers.get("Accept-Language", "").lower()
    english, chinese = accepted.find("en"), accepted.find("zh")
    return "en" if english >= 0 and (chinese < 0 or english < chinese) else "zh-TW"
