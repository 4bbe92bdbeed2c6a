"""What a service must have before it can tell alerts."""

import pytest

from video_detective.config.settings import parse_settings
from video_detective.services.notices import lack_of
from video_detective.storage.notices.base import ChannelKind

SET = """
schema_version: 1
notifications:
  smtp: {host: mail.example.com, username: vd, password_env: VD_SMTP, sender: vd@example.com}
  mqtt: {host: broker.example.com, username: vd, password_env: VD_MQTT}
"""


def test_a_kind_of_channel_lacks_what_is_not_set_and_then_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty = parse_settings("schema_version: 1").notifications
    named = parse_settings(SET).notifications
    assert lack_of(empty, "webhook") is None
    kinds: tuple[tuple[ChannelKind, str, str], ...] = (
        ("email", "smtp", "VD_SMTP"), ("mqtt", "mqtt", "VD_MQTT"),
    )  # fmt: skip
    for kind, section, variable in kinds:
        monkeypatch.delenv(variable, raising=False)
        server, password = lack_of(empty, kind), lack_of(named, kind)
        assert server is not None
        assert (server.key, server.setting) == ("server_unset", f"notifications.{section}")
        assert password is not None
        assert password.key == "password_unset"
        assert password.setting == f"notifications.{section}.password_env"
        assert variable in password.found
        monkeypatch.setenv(variable, "secret")
        assert lack_of(named, kind) is None
