"""Licences of what runs here: installed packages, and weights of detectors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import metadata

_CLASSIFIER = "License :: "
_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageLicence:
    """An installed package; ``licence`` is "" where it names none."""

    name: str
    version: str
    licence: str


@cache
def package_licences() -> tuple[PackageLicence, ...]:
    """Every installed package in order of name, as its metadata say; read once."""
    found = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name:
            found[name.lower()] = PackageLicence(
                name=name, version=distribution.version, licence=_licence(distribution.metadata)
            )
    return tuple(found[name] for name in sorted(found))


def _licence(about: metadata.PackageMetadata) -> str:
    """An SPDX expression where there is one, else what classifiers or a short field say."""
    if "License-Expression" in about:
        return about["License-Expression"]
    text = " ".join((about["License"] if "License" in about else "").split())  # noqa: SIM401
    if text and " " not in text:
        return text
    named = [
        line.rpartition(" :: ")[2]
        for line in about.get_all("Classifier") or []
        if line.startswith(_CLASSIFIER)
    ]
    if named and named != ["OSI Approved"]:
        return ", ".join(named)
    return text if len(text) <= _LONGEST else ""
