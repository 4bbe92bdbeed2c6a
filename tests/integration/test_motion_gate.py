"""The motion gate on the campus footage: walkers are noticed, the view never seems to change."""

from __future__ import annotations

import av
import numpy as np
import pytest

from video_detective.detection.motion import MotionEyes
from video_detective.geometry import intersection_areas
from video_detective.media.base import Frame


def _never():
    raise AssertionError("the motion gate needs no colours")


@pytest.mark.media
def test_the_gate_notices_nearly_everyone_who_walks_and_calls_the_view_ok(media_dir):
    rows = np.loadtxt(media_dir / "pets" / "gt_first_half.txt", delimiter=",")
    eyes = MotionEyes(classes=frozenset({"person"}))
    noticed = people = 0
    with av.open(str(media_dir / "pets" / "vtest.avi")) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index > 150:
                break
            if index % 2 and index % 5:
                continue
            luma = picture.reformat(format="gray").to_ndarray().astype(np.uint8, copy=False)
            time_ns = index * 100_000_000
            frame = Frame(index=index, pts_ns=time_ns, time_ns=time_ns, luma=luma, to_bgr=_never)
            seen = eyes.look(frame, idle_sample=index % 10 == 0)
            assert seen.view == "ok"
            assert not seen.cut
            truth = rows[(rows[:, 0] == index + 1) & (rows[:, 5] >= 59), 2:6]
            if index < 20 or index % 5:
                continue
            boxes = np.concatenate([truth[:, :2], truth[:, :2] + truth[:, 2:]], axis=1)
            overlap = intersection_areas(boxes.astype(np.float32), seen.motion).sum(axis=1)
            noticed += int((overlap >= 0.5 * truth[:, 2] * truth[:, 3]).sum())
            people += len(truth)
    assert people > 100
    assert noticed / people > 0.9
