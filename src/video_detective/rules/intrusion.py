"""闖入 Intrusion: a foot inside a zone for long enough in a row."""

from __future__ import annotations

from typing import Any

from video_detective.rules.base import Actor, Zone
from video_detective.rules.parameters import Intrusion
from video_detective.rules.runs import Stay, follow_stays
from video_detective.rules.sight import Area, Finding, Sight, ns, seconds
from video_detective.rules.snapshot import plain, rebuild


class IntrusionMachine:
    """Established by ``enter_s`` (or ``enter_frames``) inside in a row.

    One observation outside breaks the row before that; frames in which the track is not seen
    neither count nor break it (within ``exit_s``). Start and end are the first and last
    observation inside.
    """

    def __init__(self, rule: Intrusion, zone: Zone) -> None:
        self._rule = rule
        self._area = Area(zone)
        self._stays: dict[str, Stay] = {}

    def update(self, sight: Sight) -> list[Finding]:
        """See ``Machine``."""
        found = []
        for track_id, stay, spot, status in follow_stays(
            self._stays,
            sight,
            area=self._area,
            classes=self._rule.classes,
            exit_ns=ns(self._rule.exit_s),
            exit_frames=self._rule.exit_frames,
        ):
            if status == "inside":
                if stay.established is None and self._is_long_enough(stay):
                    stay.established = stay.last
                    found.append(self._finding(track_id, stay, None))
            elif status == "away":
                if stay.established is None and spot is not None:
                    del self._stays[track_id]
            elif stay.established is not None:
                found.append(self._finding(track_id, stay, status))
        return found

    def stop(self, ended: str) -> list[Finding]:
        """See ``Machine``."""
        found = [
            self._finding(track_id, stay, ended)
            for track_id, stay in self._stays.items()
            if stay.established is not None
        ]
        self._stays.clear()
        return found

    def state(self) -> Any:
        """See ``Machine``."""
        return plain(self._stays)

    def restore(self, state: Any) -> None:
        """See ``Machine``."""
        self._stays = rebuild(dict[str, Stay], state)

    def _is_long_enough(self, stay: Stay) -> bool:
        if self._rule.enter_frames is not None:
            return stay.inside_count >= self._rule.enter_frames
        return stay.last.time_ns - stay.first.time_ns >= ns(self._rule.enter_s)

    def _finding(self, track_id: str, stay: Stay, ended: str | None) -> Finding:
        return stay_finding(track_id, stay, ended, zone=self._area.id, facts={})


def stay_finding(
    track_id: str, stay: Stay, ended: str | None, *, zone: str, facts: dict[str, Any]
) -> Finding:
    """A finding about a whole established stay, from its first to its last observation inside.

    Args:
        track_id: Whose stay.
        stay: The stay.
        ended: Why it ended, or None while it goes on.
        zone: Where.
        facts: Further facts beside ``dwell_s`` and ``ended``.
    """
    established = stay.established or stay.last
    moments = [stay.first.moment("entered", track_id), established.moment("established", track_id)]
    said: dict[str, Any] = {
        "dwell_s": seconds(stay.last.time_ns - stay.first.time_ns),
        **facts,
    }
    if ended is not None:
        moments.append(stay.last.moment("left" if ended == "left" else "last_seen", track_id))
        said["ended"] = ended
    return Finding(
        key=f"{track_id}@{stay.first.time_ns}",
        subject=track_id,
        start_ns=stay.first.time_ns,
        established_ns=established.time_ns,
        end_ns=None if ended is None else stay.last.time_ns,
        frames=(stay.first.frame, stay.last.frame),
        zone=zone,
        actors=(Actor(track_id=track_id, type=stay.type),),
        moments=tuple(moments),
        facts=said,
    )
