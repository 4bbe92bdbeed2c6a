"""``analyze``: video in, events out."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from video_detective import config
from video_detective.cli.console import (
    DEFAULT_DATA_DIR,
    AsJson,
    DatabaseUrl,
    DataDir,
    print_json,
    progress_bar,
    run,
    say,
    stop_on_signal,
)
from video_detective.config import Camera
from video_detective.errors import ConflictError, UsageError
from video_detective.pipeline.worker import Progress
from video_detective.services.analysis import Request, analyze, write_tracks
from video_detective.services.output import require_folder
from video_detective.services.workspace import open_workspace


def analyze_command(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Video files, folders of frames, or stream URLs."),
    ],
    camera: Annotated[
        str | None, typer.Option(help="Camera id; may be left out where the rules have one camera.")
    ] = None,
    rules: Annotated[Path | None, typer.Option(help="Camera document (YAML or JSON).")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    start: Annotated[
        str | None, typer.Option(help="Wall-clock time of the first frame (RFC 3339).")
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames per second to look at while anything moves.")
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="mobilenet-ssd, motion, onnx or ultralytics.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model file of an onnx or ultralytics detector.")
    ] = None,
    tracks_out: Annotated[
        Path | None, typer.Option(help="Write tracks as MOTChallenge rows to this file.")
    ] = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Analyse video and store its events. An interrupted analysis goes on where it stopped."""
    camera_id, document = _camera(camera, rules)
    document = _with_overrides(document, detector=detector, model=model, fps=fps)
    if len(sources) > 1 and (start or tracks_out):
        raise UsageError(
            "--start and --tracks-out go with one source, not with several",
            remedy="Run the command once for each source.",
        )
    if tracks_out is not None:
        require_folder(tracks_out)
    requests = [
        Request(
            source=source,
            camera_id=camera_id,
            camera=document,
            start=start,
            is_described=rules is not None,
        )
        for source in sources
    ]
    reports = _analyze(requests, data_dir, database, tracks_out, quiet=as_json)
    if as_json:
        print_json(reports[0] if len(sources) == 1 else {"sources": reports})
    else:
        for report in reports:
            _tell(report)
    _require_the_end(reports, sources)


def _require_the_end(reports: list[dict[str, Any]], sources: list[str]) -> None:
    unfinished = [report for report in reports if report["status"] == "interrupted"]
    where = "".join(f" at {r['video_seconds']:.1f} s of '{r['source']}'" for r in unfinished)
    if not unfinished and len(reports) == len(sources):
        return
    raise ConflictError(
        f"The analysis was interrupted{where}", remedy="Run the same command to go on."
    )


def analyze_sources(
    sources: list[str],
    camera: str | None,
    rules: Path | None,
    data_dir: Path,
    database: str | None,
) -> None:
    """Analyse sources and tell what was found.

    Raises:
        ConflictError: it was interrupted.
    """
    camera_id, document = _camera(camera, rules)
    requests = [
        Request(source=s, camera_id=camera_id, camera=document, is_described=rules is not None)
        for s in sources
    ]
    reports = _analyze(requests, data_dir, database, None, quiet=False)
    for report in reports:
        _tell(report)
    _require_the_end(reports, sources)


def _analyze(
    requests: list[Request],
    data_dir: Path,
    database: str | None,
    tracks_out: Path | None,
    *,
    quiet: bool,
) -> list[dict[str, Any]]:
    with stop_on_signal() as stop:
        work = _analyze_all(requests, data_dir, database, tracks_out, stop=stop, quiet=quiet)
        return run(work)


def _with_overrides(
    document: Camera, *, detector: str | None, model: str | None, fps: float | None
) -> Camera:
    changes: dict[str, Any] = {}
    if detector is not None:
        changes["detector"] = detector
    if model is not None:
        changes["model"] = model
    if changes:
        document = document.model_copy(
            update={"detection": document.detection.model_copy(update=changes)}
        )
    if fps is not None:
        if not 0 < fps <= 60:
            raise UsageError(f"--fps {fps:g} is impossible", remedy="Use more than 0 and up to 60.")
        sampling = document.sampling.model_copy(
            update={"fps": fps, "idle_fps": min(fps, document.sampling.idle_fps)}
        )
        document = document.model_copy(update={"sampling": sampling})
    return document


def _camera(camera_id: str | None, rules: Path | None) -> tuple[str, Camera]:
    if camera_id is not None:
        config.check_camera_id(camera_id)
    if rules is None:
        if camera_id is None:
            raise UsageError("No camera is named", remedy="Give --camera ID, --rules FILE or both.")
        return camera_id, Camera()
    document = config.load(rules)
    if camera_id is None:
        if len(document.cameras) != 1:
            raise UsageError(
                f"The rules file has {len(document.cameras)} cameras and none is chosen",
                remedy=f"Give --camera with one of: {', '.join(document.cameras)}.",
            )
        (camera_id,) = document.cameras
    return camera_id, document.camera(camera_id)


async def _analyze_all(
    requests: list[Request],
    data_dir: Path,
    database: str | None,
    tracks_out: Path | None,
    *,
    stop: threading.Event,
    quiet: bool,
) -> list[dict[str, Any]]:
    reports = []
    async with open_workspace(data_dir, database) as workspace:
        for request in requests:
            if stop.is_set():
                break
            with progress_bar(Path(request.source).name, shown=not quiet) as show:

                def tell(progress: Progress) -> None:
                    share = progress.pts_ns / progress.duration_ns if progress.duration_ns else None
                    show(share, f"{progress.events} events")

                report = await analyze(workspace, request, stop=stop, on_progress=tell)
            if tracks_out is not None:
                await write_tracks(workspace, report, tracks_out)
            reports.append(report)
    return reports


def _tell(report: dict[str, Any]) -> None:
    said = {
        "done": "Analysed",
        "already_done": "Already analysed with these settings:",
        "interrupted": "So far of",
    }[report["status"]]
    frames, video_s, wall_s = report["frames"], report["video_seconds"], report["wall_seconds"]
    speed = f", {video_s / wall_s:.1f} x real time" if wall_s > 0 else ""
    say(
        f"{said} {report['source']} ({video_s:.1f} s of video, {frames['decoded']} frames, "
        f"{frames['sampled']} sampled, {wall_s:.1f} s{speed})"
    )
    tracks = ", ".join(f"{n} {name}" for name, n in report["tracks"].items()) or "none"
    events = ", ".join(f"{n} {name}" for name, n in report["events"].items()) or "none"
    say(f"tracks: {tracks}", indent=2)
    say(f"events: {events}", indent=2)
    for rule, count in report["throttled"].items():
        say(f"held back by the cooldown of rule {rule}: {count}", indent=2)
    for drop in report["drops"]:
        at = "" if drop["at_s"] is None else f" at {drop['at_s']:.1f} s"
        say(f"lost{at}: {drop['detail']}", indent=2, style="yellow")
