"""What is taken as a password, and how it is checked."""

import pytest
from argon2 import PasswordHasher

from video_detective.errors import FieldError
from video_detective.services.passwords import Passwords
from video_detective.services.sign_in import folded_name

PASSWORDS = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def test_a_password_is_kept_as_a_salted_hash() -> None:
    one, other = await PASSWORDS.hash("correct horse"), await PASSWORDS.hash("correct horse")
    assert one != other
    assert one.startswith("$argon2id$")
    assert await PASSWORDS.is_right("correct horse", one)
    assert not await PASSWORDS.is_right("correct horse ", one)


@pytest.mark.parametrize("password", ["", "123456789", "一二三四五六七八九", "x" * 201])
async def test_too_short_and_too_long_passwords_are_refused(password: str) -> None:
    with pytest.raises(FieldError, match="password"):
        await PASSWORDS.hash(password)


async def test_the_same_password_from_another_keyboard_is_right() -> None:
    kept = await PASSWORDS.hash("ｐａｓｓｗｏｒｄ１２３４")
    assert await PASSWORDS.is_right("password1234", kept)


@pytest.mark.parametrize("password", ["\ud800" * 12, "nul\0" * 4, "密碼" * 10])
async def test_every_text_can_be_a_password(password: str) -> None:
    assert await PASSWORDS.is_right(password, await PASSWORDS.hash(password))


@pytest.mark.parametrize("kept", [None, "", "no hash"])
async def test_without_a_hash_no_password_is_right(kept: str | None) -> None:
    assert not await PASSWORDS.is_right("nobody has this password", kept)


async def test_what_is_longer_than_a_password_is_not_taken_for_its_beginning() -> None:
    kept = await PASSWORDS.hash("x" * 200)
    assert not await PASSWORDS.is_right("x" * 201, kept)
    assert not await PASSWORDS.is_right("x" * 1000, kept)


@pytest.mark.parametrize(
    ("name", "folded"), [("Ann", "ann"), (" ＡＮＮ ", "ann"), ("王小明", "王小明"), ("É", "é")]
)
def test_names_are_compared_folded(name: str, folded: str) -> None:
    assert folded_name(name) == folded


@pytest.mark.parametrize("name", ["", " ", "a b", "a\u200b", "a\nb", "x" * 65, "\0"])
def test_names_that_cannot_be_seen_are_refused(name: str) -> None:
    with pytest.raises(FieldError, match="name"):
        folded_name(name)
