"""Settings of notifications: where webhooks may go, the mail server, the MQTT broker."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from video_detective.config.checks import Problem
from video_detective.errors import UsageError
from video_detective.llm.address import url_problem

_Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
_Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.:_-]{0,251}[A-Za-z0-9])?$")]
_Level = r"[A-Za-z0-9_.-]{1,64}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(
    rf"(?=.{{3,254}}\Z)[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-][A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{0,63}}"
    rf"(?<!\.)@{_LABEL}(?:\.{_LABEL})*"
)
"""An e-mail address without a name, quotes, or anything that a header could be made of."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SmtpSettings(_Section):
    """The server that sends e-mail.

    ``security``: ``starttls`` (usually port 587), ``tls`` (465) or ``none`` (25, only within a
    trusted network). ``sender`` is the From address. ``ca_file`` holds the certificates of an
    authority of one's own.
    """

    host: _Host
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = Field(default="", max_length=200)
    password_env: _Variable | None = None
    sender: str = Field(max_length=254)
    ca_file: str | None = None
    timeout_s: float = Field(default=20.0, gt=0, le=40)

    def password(self, environment: Mapping[str, str] = os.environ) -> str:
        """The password; "" for none.

        Raises:
            UsageError: the environment lacks it.
        """
        return _password(self.password_env, "the mail server", environment)


class MqttSettings(_Section):
    """The MQTT broker. Topics begin with ``prefix``.

    ``discovery_prefix`` is where Home Assistant looks for devices; null publishes none.
    """

    host: _Host
    port: int = Field(default=1883, ge=1, le=65535)
    tls: bool = False
    ca_file: str | None = None
    username: str = Field(default="", max_length=200)
    password_env: _Variable | None = None
    prefix: str = Field(default="video-detective", pattern=rf"^{_Level}(?:/{_Level}){{0,5}}$")
    discovery_prefix: str | None = Field(
        default="homeassistant", pattern=rf"^{_Level}(?:/{_Level}){{0,5}}$"
    )

    def password(self, environment: Mapping[str, str] = os.environ) -> str:
        """The password; "" for none.

        Raises:
            UsageError: the environment lacks it.
        """
        return _password(self.password_env, "the MQTT broker", environment)


class NotificationSettings(_Section):
    """How alerts are told.

    ``allow_networks``: networks (CIDR) to which webhooks may go although they are not public; on a
    closed network that is where receivers are. ``webhook_ca_file`` holds the certificates of an
    authority of one's own, beside the public ones.
    """

    allow_networks: tuple[str, ...] = ()
    webhook_ca_file: str | None = None
    webhook_timeout_s: float = Field(default=10.0, gt=0, le=40)
    smtp: SmtpSettings | None = None
    mqtt: MqttSettings | None = None

    def secrets(self, environment: Mapping[str, str] = os.environ) -> list[str]:
        """The passwords that are set: what no log may hold."""
        variables = [part.password_env for part in (self.smtp, self.mqtt) if part is not None]
        return [environment[name] for name in variables if name and environment.get(name)]


class ServiceSettings(_Section):
    """Of the service as others see it.

    ``public_url`` is the address under which people open it, such as ``https://video.example``;
    notifications link to it. Without it they hold no links.
    """

    public_url: str | None = Field(default=None, max_length=300)


def notification_problems(settings: NotificationSettings) -> Iterator[Problem]:
    """What types alone cannot say of the section ``notifications``."""
    for number, network in enumerate(settings.allow_networks):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield (
                ("notifications", "allow_networks", number),
                f"{network!r} is no network; write it like 192.168.1.0/24 or fd00::/8",
            )
    if settings.webhook_ca_file is not None and not Path(settings.webhook_ca_file).is_file():
        yield (
            ("notifications", "webhook_ca_file"),
            f"there is no file {settings.webhook_ca_file!r}",
        )
    for name, part in (("smtp", settings.smtp), ("mqtt", settings.mqtt)):
        if part is not None and part.ca_file is not None and not Path(part.ca_file).is_file():
            yield ("notifications", name, "ca_file"), f"there is no file {part.ca_file!r}"
    if settings.smtp is not None and not ADDRESS.fullmatch(settings.smtp.sender):
        yield (
            ("notifications", "smtp", "sender"),
            f"{settings.smtp.sender!r} is no e-mail address; write alerts@example.com",
        )


def service_problems(settings: ServiceSettings) -> Iterator[Problem]:
    """The same of the section ``service``."""
    if settings.public_url is not None and (problem := url_problem(settings.public_url)):
        yield ("service", "public_url"), problem


def _password(variable: str | None, owner: str, environment: Mapping[str, str]) -> str:
    if variable is None:
        return ""
    if not environment.get(variable):
        raise UsageError(
            f"The environment variable {variable} with the password of {owner} is not set",
            remedy=f"Set {variable}, or remove password_env.",
        )
    return environment[variable]
