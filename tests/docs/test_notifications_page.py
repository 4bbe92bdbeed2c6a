"""docs/notifications.md is true: its recipe, its settings, its numbers."""

import re
import time
from pathlib import Path

import pytest
from tests.servers.webhook import Receiver

from video_detective.alerts.addresses import AddressPolicy
from video_detective.alerts.home_assistant import Topics
from video_detective.alerts.notification import EVENT_KINDS, Notification
from video_detective.alerts.webhook import WebhookSender
from video_detective.config.settings import parse_settings
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.deliverer import RETRY_S
from video_detective.storage.notices.base import END_WAITS_NS, KEPT_NS, PAST_NS

PAGE = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text("utf-8")
SECRET = "whsec_of_the_page"
TOLD = Notification(
    delivery_id="1",
    kind="new",
    account_id="a",
    device_id="d",
    language="zh-TW",
    timezone="Asia/Taipei",
    body={"alert": {"message": "有人闖入。"}},
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


async def test_the_recipe_takes_what_is_genuine_and_nothing_else() -> None:
    [recipe] = blocks("python")
    names: dict[str, object] = {}
    exec(recipe, names)
    is_genuine = names["is_genuine"]
    assert callable(is_genuine)
    with Receiver() as receiver:
        sender = WebhookSender(AddressPolicy(["127.0.0.0/8"]))
        await sender.send(receiver.url, SECRET, TOLD, now_ns=time.time_ns())
        old_ns = time.time_ns() - 3600 * NS_PER_S
        await sender.send(receiver.url, SECRET, TOLD, now_ns=old_ns)
    fresh, old = receiver.received
    header = fresh.headers["X-VD-Signature"]
    assert is_genuine(SECRET, header, fresh.body)
    assert not is_genuine("another", header, fresh.body)
    assert not is_genuine(SECRET, header, fresh.body + b" ")
    assert not is_genuine(SECRET, "", fresh.body)
    later = header.replace("t=", "t=1")
    assert not is_genuine(SECRET, later, fresh.body)
    assert not is_genuine(SECRET, old.headers["X-VD-Signature"], old.body)
    for name in ("X-VD-Signature", "X-VD-Delivery", "X-VD-Event", "X-VD-Attempt"):
        assert name in fresh.headers
        assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("text", blocks("yaml"))
def test_every_settings_example_is_taken(text: str) -> None:
    assert parse_settings(text).schema_version == 1


def test_the_page_states_the_numbers_and_names_of_the_program() -> None:
    assert (5, 30, *(60 * m for m in (2, 10, 30)), *(3600 * h for h in (1, 2, 4, 6, 8))) == RETRY_S
    assert "after 5 s, 30 s, 2, 10 and 30 minutes, 1, 2, 4, 6 and 8 hours" in PAGE
    assert f"more than {PAST_NS // NS_PER_S // 60} minutes old" in PAGE
    assert f"waits up to {END_WAITS_NS // NS_PER_S // 60} minutes" in PAGE
    assert f"kept for {KEPT_NS // NS_PER_S // 86_400} days" in PAGE
    for kind in EVENT_KINDS.values():
        assert f"`{kind}`" in PAGE
    topics = Topics(prefix="<prefix>")
    for topic in (
        topics.availability,
        topics.alerts("<account>", "<device>"),
        topics.state("<account>", "<device>"),
    ):
        assert f"| `{topic}` |" in PAGE
