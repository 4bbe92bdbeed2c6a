"""Version 1 of the service: one module for each resource."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from video_detective.api.v1 import devices, scenes
from video_detective.services.workspace import Workspace

Routes = Callable[[Workspace], APIRouter]
"""Gives a resource's routes over an open workspace."""

ROUTES: tuple[Routes, ...] = (
    devices.routes,
    scenes.routes,
)
"""In the order in which they are matched: fixed addresses before those with an id in their place.
"""
