"""ONNX Runtime sessions, set up alike for every model."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort

from video_detective.errors import WeightsError

_ERRORS_ONLY = 3


def open_session(model: Path) -> ort.InferenceSession:
    """A model ready to run on one core.

    One thread a session, and no spinning: cameras run as processes side by side, and two or more
    threads each collapsed under that load when measured.

    Raises:
        WeightsError: the file is absent or no model that ONNX Runtime can run.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not model.is_file():
        raise WeightsError(
            f"Model file {str(model)!r} is not there",
            remedy="Give the path of an .onnx file, or run `video-detective models install`",
        )
    try:
        return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions share no base class but this one
        raise WeightsError(
            f"Model file {str(model)!r} cannot be run: {str(error).splitlines()[0]}",
            remedy="Check it with `video-detective models verify`, or export it again as ONNX",
        ) from error
