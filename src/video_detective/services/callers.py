"""Who shows a key or a session: from what they show to a ``Caller``."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from video_detective.errors import VideoDetectiveError
from video_detective.services.access import SCOPES_OF, Caller, Scope
from video_detective.storage.accounts.rows import KeyHolder, SessionHolder
from video_detective.storage.database import Database
from video_detective.storage.reach import Reach

KEY_TEXT = re.compile(r"(vd_live_)([0-9A-Za-z]{8})([0-9A-Za-z]{43})")
"""Mark, public prefix, secret (256 bits)."""
TRUSTED_NS = 500_000_000
"""A key or session is looked up again after this long: revoking takes effect within it."""
NOTED_NS = 60_000_000_000
"""How exact the last use of a key or session is known."""
SESSION_IDLE_NS = 12 * 3_600_000_000_000
"""A session that was not used for this long is over."""
_MANY = 10_000
_NO_HASH = "0" * 64
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    looked_up_ns: int
    ends_ns: int | None


class Callers:
    """Finds the callers of one service, and notes when each key or session was used last.

    Args:
        database: Where keys and sessions are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, _Known] = {}
        self._noted: dict[str, int] = {}
        self._looking: dict[str, asyncio.Task[KeyHolder | None]] = {}

    async def by_key(self, text: str, now_ns: int) -> Caller | None:
        """Whose key it is; None when nobody's, or not any more.

        Raises:
            StorageError: the database cannot be used.
        """
        parts = KEY_TEXT.fullmatch(text)
        if parts is None:
            return None
        digest = digest_of(text)
        known = self._fresh(digest, now_ns)
        if known is None:
            holder = await self._holder(parts[2])
            # As long for a prefix that nobody has.
            is_right = hmac.compare_digest(digest, holder.key.secret_hash if holder else _NO_HASH)
            if holder is None or not is_right or holder.key.revoked_ns is not None:
                return None
            known = self._keep(digest, _of_key(holder), now_ns, holder.key.expires_ns)
            if holder.key.last_used_ns is not None:
                self._noted.setdefault(digest, holder.key.last_used_ns)
        return known.caller if known.ends_ns is None or now_ns < known.ends_ns else None

    async def by_session(self, token: str, now_ns: int) -> Caller | None:
        """Whose session it is; as ``by_key``."""
        digest = digest_of(token)
        known = self._fresh(digest, now_ns)
        if known is None:
            holder = await self._database.accounts.users.session(digest)
            if holder is None or holder.user.disabled_ns is not None:
                return None
            seen_ns = holder.session.last_seen_ns
            if now_ns - seen_ns >= SESSION_IDLE_NS:
                return None
            known = self._keep(digest, _of_session(holder), now_ns, holder.session.expires_ns)
            self._noted[digest] = max(seen_ns, self._noted.get(digest, 0))
        return known.caller if known.ends_ns is None or now_ns < known.ends_ns else None

    async def note_use(self, caller: Caller, shown: str, now_ns: int) -> None:
        """Note that a key or session was used, at most once a minute.

        Call it when the answer is out: nobody waits for it, and a failure is only logged.

        Args:
            caller: Who.
            shown: The key or session token.
            now_ns: When.
        """
        digest = digest_of(shown)
        if now_ns - self._noted.get(digest, 0) < NOTED_NS:
            return
        self._noted[digest] = now_ns
        try:
            if caller.kind == "key":
                await self._database.accounts.keys.note_use(
                    caller.id, now_ns, unless_since_ns=now_ns - NOTED_NS
                )
            else:
                await self._database.accounts.users.note_session(digest, now_ns)
        except VideoDetectiveError as error:
            _log.warning("the last use of %s %s is not noted: %s", caller.kind, caller.id, error)

    def forget(self) -> None:
        """Look everybody up again: something may have changed."""
        self._known.clear()
        # Who comes now must not wait for what was read before.
        self._looking.clear()

    async def _holder(self, prefix: str) -> KeyHolder | None:
        """Whose key begins so; many requests that come at once look it up once."""
        task = self._looking.get(prefix)
        if task is None:
            task = asyncio.create_task(self._database.accounts.keys.by_prefix(prefix))
            self._looking[prefix] = task
            task.add_done_callback(lambda done: self._looked(prefix, done))
        # Who waits may go away; the others wait on.
        return await asyncio.shield(task)

    def _looked(self, prefix: str, task: asyncio.Task[KeyHolder | None]) -> None:
        if self._looking.get(prefix) is task:
            del self._looking[prefix]
        if not task.cancelled():
            task.exception()  # whoever waits is told

    def _fresh(self, digest: str, now_ns: int) -> _Known | None:
        known = self._known.get(digest)
        return known if known and 0 <= now_ns - known.looked_up_ns < TRUSTED_NS else None

    def _keep(self, digest: str, caller: Caller, now_ns: int, ends_ns: int | None) -> _Known:
        if len(self._known) >= _MANY:
            self._known.clear()
            self._noted.clear()
        known = self._known[digest] = _Known(caller, now_ns, ends_ns)
        return known


def digest_of(text: str) -> str:
    """SHA-256, hex: all that is kept of a key, session or link."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def with_request(caller: Caller, request_id: str) -> Caller:
    """The caller in one request."""
    return replace(caller, request_id=request_id)


def _of_key(holder: KeyHolder) -> Caller:
    return Caller(
        reach=Reach(account_id=holder.account.account_id, cameras=holder.cameras),
        kind="key",
        id=holder.key.key_id,
        name=holder.key.name,
        scopes=_scopes(holder.key.scopes),
        timezone=holder.account.timezone,
        language=holder.account.language,
    )


def _of_session(holder: SessionHolder) -> Caller:
    return Caller(
        reach=Reach(account_id=holder.account.account_id, cameras=holder.cameras),
        kind="user",
        id=holder.user.user_id,
        name=holder.user.name,
        scopes=SCOPES_OF[holder.user.role],
        timezone=holder.account.timezone,
        language=holder.account.language,
    )


def _scopes(names: Sequence[str]) -> frozenset[Scope]:
    known = SCOPES_OF["admin"]
    return frozenset(scope for scope in known if scope in names)
