"""How the client talks: one HTTP connection pool, the envelope, errors, pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

T = TypeVar("T")


class Unset:
    """What a parameter is that nobody gave: None would be sent as null."""

    def __bool__(self) -> bool:
        return False


UNSET = Unset()


class Model(BaseModel):
    """A body of the interface; fields that a newer service adds are left out."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Problem(Model):
    """A field that cannot be meant; ``reason`` and ``values`` as those of an ``ApiError``."""

    field: str
    problem: str
    reason: str = ""
    values: dict[str, Any] = {}


class ApiError(Exception):
    """The service refused or failed.

    Args:
        status: HTTP status; 0 when there was no answer.
        code: Stable code, such as ``NOT_FOUND``.
        message: What was wrong, and what to do.
        details: Fields that were wrong.
        reason: Stable key of what was wrong, finer than the code; "" where there is none.
        values: What its words name, to tell people in their own language.
        request_id: Of the request, to find it in the service's logs.
        retry_after_s: Seconds after which to try again, where the service said so.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: tuple[Problem, ...] = (),
        reason: str = "",
        values: Mapping[str, Any] | None = None,
        request_id: str = "",
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.reason = reason
        self.values = values or {}
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class Pagination(Model):
    """Where a page is: ``page`` 1.. of ``total_pages``."""

    page: int
    limit: int
    total: int
    total_pages: int
    next_cursor: str | None = None


class Page(Generic[T]):
    """One page of a list.

    Args:
        items: What is on it.
        pagination: Where it is.
        timezone: In which times without offset of the request were read, where that matters.
    """

    def __init__(self, items: list[T], pagination: Pagination, timezone: str | None) -> None:
        self.items = items
        self.pagination = pagination
        self.timezone = timezone

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class Connection:
    """Sends requests and reads the envelope.

    Args:
        address: Of the service, such as ``http://127.0.0.1:8377``.
        key: An API key, ``vd_live_…``.
        timeout_s: For each request.
        http: An httpx client of your own in place of address, key and timeout.
    """

    def __init__(
        self,
        address: str = "",
        key: str = "",
        *,
        timeout_s: float = 30.0,
        http: httpx.Client | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = http or httpx.Client(base_url=address, headers=headers, timeout=timeout_s)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def call(
        self,
        method: str,
        path: str,
        kind: TypeAdapter[T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> T:
        """Ask, and read ``data``.

        Raises:
            ApiError: the service refused or failed, or could not be reached.
        """
        answer = self.send(method, path, query=query, body=body, headers=headers, content=content)
        return kind.validate_python(answer.json()["data"])

    def page(
        self, path: str, kind: TypeAdapter[list[T]], query: Mapping[str, Any] | None = None
    ) -> Page[T]:
        """One page of a list."""
        document = self.send("GET", path, query=query).json()
        items = kind.validate_python(document["data"])
        meta = document["meta"]
        told = meta.get("pagination") or {
            "page": 1, "limit": len(items), "total": len(items), "totalPages": 1,
        }  # fmt: skip
        return Page(items, Pagination.model_validate(told), meta.get("timezone"))

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Ask; the answer is a success.

        Raises:
            ApiError: the service refused or failed, or could not be reached.
        """
        try:
            answer = self._http.request(
                method,
                path,
                params=None if query is None else given(query),
                json=None if body is None else given(body, of_body=True),
                headers=headers,
                content=content,
            )
        except httpx.HTTPError as cause:
            raise ApiError(0, "UNREACHABLE", f"{type(cause).__name__}: {cause}") from cause
        if not answer.is_success:
            raise error_of(answer)
        return answer


def given(values: Mapping[str, Any], *, of_body: bool = False) -> dict[str, Any]:
    """What somebody gave of a query or body, as it is sent."""
    return {
        name: _wire(value, of_body)
        for name, value in values.items()
        if not isinstance(value, Unset) and (of_body or value is not None)
    }


def _wire(value: Any, of_body: bool) -> Any:
    if isinstance(value, Model):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, list):
        return [_wire(item, of_body) for item in value]
    return str(value).lower() if isinstance(value, bool) and not of_body else value


def each(ask: Callable[[str | Unset], Page[T]]) -> Iterator[T]:
    """Every item of a list, page after page by cursor, so that none is missed or given twice."""
    cursor: str | Unset = UNSET
    while True:
        page = ask(cursor)
        yield from page
        if page.pagination.next_cursor is None:
            return
        cursor = page.pagination.next_cursor


def error_of(answer: httpx.Response) -> ApiError:
    """What an answer that is no success says; also one that is not the service's own."""
    after = answer.headers.get("Retry-After", "")
    retry_after_s = int(after) if after.isdigit() else None
    request_id = answer.headers.get("X-Request-Id", "")
    try:
        document = answer.json()
        error = document["error"]
        return ApiError(
            answer.status_code,
            error["code"],
            document["message"],
            details=tuple(Problem.model_validate(item) for item in error.get("details") or ()),
            reason=error.get("reason") or "",
            values=error.get("values"),
            request_id=document["meta"]["requestId"],
            retry_after_s=retry_after_s,
        )
    except (ValueError, KeyError, TypeError):
        return ApiError(
            answer.status_code,
            "UNKNOWN",
            answer.text[:200] or answer.reason_phrase,
            request_id=request_id,
            retry_after_s=retry_after_s,
        )
