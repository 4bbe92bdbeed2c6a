"""Passwords: what is taken as one, and how it is kept."""

from __future__ import annotations

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from video_detective.errors import FieldError, Flaw

MIN_CHARACTERS, MAX_CHARACTERS = 10, 200
AT_ONCE = 2
"""Each hash takes a core and 64 MiB: more at once would let strangers fill the memory."""


class Passwords:
    """Hashes and checks passwords, in threads.

    Args:
        hasher: Argon2id; the library's own parameters are RFC 9106's for limited memory.
        refusal_s: How long every refusal to sign in takes at least, so that its time tells nothing
            of why.
    """

    def __init__(self, hasher: PasswordHasher | None = None, *, refusal_s: float = 0.4) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash("nobody has this password")
        self._turn = asyncio.Semaphore(AT_ONCE)
        self.refusal_s = refusal_s

    async def hash(self, password: str) -> str:
        """A new hash, with a salt of its own.

        Raises:
            FieldError: it is too short or too long for a password.
        """
        characters = len(password)
        if not MIN_CHARACTERS <= characters <= MAX_CHARACTERS:
            wanted = f"must be {MIN_CHARACTERS} to {MAX_CHARACTERS} characters, not {characters}"
            flaw = Flaw(
                wanted,
                reason="password_length",
                least=MIN_CHARACTERS,
                most=MAX_CHARACTERS,
                length=characters,
            )
            raise FieldError([("password", flaw)])
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def is_right(self, password: str, kept: str | None) -> bool:
        """Whether it is the password of a hash; for None it takes as long, and is not.

        Args:
            password: Any text.
            kept: As ``hash`` gave it.
        """
        async with self._turn:
            right = await asyncio.to_thread(
                self._check, password, self._nobody if kept is None else kept
            )
        return right and kept is not None

    def _check(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, _normal(password[: MAX_CHARACTERS + 1]))
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> bytes:
    """The same bytes from every keyboard. Source: NIST SP 800-63B, section 5.1.1.2."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
