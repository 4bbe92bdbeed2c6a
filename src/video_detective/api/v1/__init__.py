"""Version 1 of the service: one module for each resource."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from video_detective.api.v1 import (
    accounts,
    alerts,
    analysis,
    attributes,
    audit,
    channels,
    deliveries,
    devices,
    dry_runs,
    events,
    files,
    insights,
    keys,
    live,
    models,
    nodes,
    queue,
    retention,
    scenes,
    session,
    statistics,
    tracks,
    users,
)
from video_detective.services.workspace import Workspace

Routes = Callable[[Workspace], APIRouter]
"""Gives a resource's routes over an open workspace."""

ROUTES: tuple[Routes, ...] = (
    attributes.routes,
    insights.routes,
    session.routes,
    accounts.routes,
    users.routes,
    keys.routes,
    audit.routes,
    channels.routes,
    deliveries.routes,
    devices.routes,
    scenes.routes,
    dry_runs.routes,
    analysis.routes,
    files.routes,
    nodes.routes,
    retention.routes,
    models.routes,
    queue.routes,
    events.routes,
    tracks.routes,
    alerts.routes,
    live.routes,
    statistics.routes,
)
"""In the order in which they are matched: fixed addresses before those with an id in their place,
and what is asked for most often first."""
