"""Short-lived signed links to stored pictures and clips: each opens its one file and nothing else.

A link says whose file it is, which, for whom it was made and until when it is good; its signature
(HMAC-SHA256) covers all of that. Whoever has it needs no key: pages and other programs can show
pictures without having one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from video_detective.errors import ForbiddenError, GoneError, MissingError
from video_detective.services.access import Caller
from video_detective.services.workspace import Workspace
from video_detective.storage.accounts.audit import AuditEntry

PATH = "/media/"
LIFE_S = 600
"""How long a link is good at least."""
ROUND_S = 300
"""Links of the same file and caller are the same text for so long, that lists can be cached."""
MEDIA_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4", ".png": "image/png"}
_NAME = re.compile(r"([0-9a-f-]{36})/([0-9a-f]{64})(\.[a-z0-9]{1,8})")
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLinks:
    """Makes links for one caller; see ``signed``.

    Args:
        base: Address of the service, without a slash at its end.
        account_id: Whose files.
        holder: Kind and id of whom they are made for.
        expires_s: Until when they are good, Unix time.
        secret: Signs them.
    """

    base: str
    account_id: str
    holder: str
    expires_s: int
    secret: bytes

    def link(self, sha256: str, suffix: str = ".jpg") -> str:
        """The link of a stored file. The caller must be allowed to see it: check before."""
        name = f"{self.account_id}/{sha256}{suffix}"
        signature = _signature(self.secret, name, self.holder, self.expires_s)
        return (
            f"{self.base}{PATH}{name}?expires={self.expires_s}&for={_quoted(self.holder)}"
            f"&signature={signature}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedMedia:
    """A file that a link opens. ``left_s``: how long the link is still good."""

    path: Path
    media_type: str
    left_s: int


async def signed(workspace: Workspace, caller: Caller, base: str, *, now_ns: int) -> MediaLinks:
    """What makes links for a caller.

    Args:
        workspace: Where.
        caller: For whom.
        base: Address under which the caller called the service (``str(request.base_url)``).
        now_ns: When; links are good for ``LIFE_S`` from then on, and up to ``ROUND_S`` more.
    """
    begun = now_ns // _NS_PER_S // ROUND_S * ROUND_S
    return MediaLinks(
        base=base.rstrip("/"),
        account_id=caller.account_id,
        holder=f"{caller.kind}:{caller.id}",
        expires_s=begun + ROUND_S + LIFE_S,
        secret=await workspace.secret("media"),
    )


async def open_link(
    workspace: Workspace,
    *,
    name: str,
    holder: str,
    expires_s: int,
    signature: str,
    now_ns: int,
    request_id: str = "",
) -> OpenedMedia:
    """The file of a link; that it was seen is in the audit log, durably, when this returns.

    Raises:
        ForbiddenError: nobody made this link, or it was changed.
        GoneError: it has expired.
        MissingError: the file is no longer here.
    """
    known = _signature(await workspace.secret("media"), name, holder, expires_s)
    parts = _NAME.fullmatch(name)
    # As bytes: text that is not ASCII cannot be compared so.
    offered = signature.encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(known.encode(), offered) or parts is None:
        raise ForbiddenError(
            "The link is not as it was made", remedy="Take a new one from the list or event."
        )
    left_s = expires_s - now_ns // _NS_PER_S
    if left_s <= 0:
        raise GoneError(
            "The link has expired",
            remedy="Take a new one from the list or event.",
            reason="link_expired",
        )
    account_id, sha256, suffix = parts.groups()
    path = workspace.blobs.path(sha256, suffix)
    if suffix not in MEDIA_TYPES or not path.is_file():
        raise MissingError(
            "The file of the link is no longer here",
            remedy="List the event anew.",
            reason="file_gone",
        )
    kind, _, holder_id = holder.partition(":")
    entry = AuditEntry(
        account_id=account_id,
        time_ns=now_ns,
        actor_kind="key" if kind == "key" else "user" if kind == "user" else "local",
        actor_id=holder_id,
        actor_name="holder of a signed link",
        action="evidence.view",
        target_kind="evidence",
        target_id=f"{sha256}{suffix}",
        request_id=request_id,
    )
    await workspace.identity.views.note(workspace.database, entry)
    return OpenedMedia(path=path, media_type=MEDIA_TYPES[suffix], left_s=left_s)


@lru_cache(maxsize=1024)
def _quoted(holder: str) -> str:
    """The same in all links of a list."""
    return quote(holder)


def _signature(secret: bytes, name: str, holder: str, expires_s: int) -> str:
    # No part has a line feed of its own: a link of one meaning is no link of another.
    signed_text = "\n".join((name, holder, str(expires_s)))
    return hmac.new(
        secret, signed_text.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()
