"""One event told in one language, clause by clause."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from video_detective.geometry import NS_PER_S
from video_detective.narration.catalogue import (
    Language,
    catalogue,
    class_name,
    event_name,
    fill,
    spoken_duration,
)
from video_detective.rules import Event, Scene, Tripwire, Zone


class Teller:
    """Words for one event in one language.

    Args:
        event: The event as it stands.
        scene: Names zones and tripwires and gives the time zone; without it they are "the zone"
            and "the line", and times are UTC.
        language: Which.
        camera_name: What people call the camera; "" takes its id.
    """

    def __init__(
        self, event: Event, scene: Scene | None, language: Language, *, camera_name: str = ""
    ) -> None:
        self._event = event
        self._facts = event.facts
        self._scene = scene
        self._language = language
        self._words = catalogue(language)
        self._camera = camera_name or event.camera_id

    def story(self) -> list[str]:
        """The clauses of what happened, by the event's type."""
        told = {
            "line_crossing": self._line_crossing,
            "intrusion": self._intrusion,
            "loitering": self._loitering,
            "pacing": self._pacing,
            "abandoned_object": self._abandoned_object,
            "crowding": self._crowding,
            "metric": self._metric,
            "wrong_way": self._wrong_way,
            "speed": self._speed,
            "post_left": self._post_left,
            "camera_tampered": self._camera_tampered,
        }[self._event.type]()
        return [clause for clause in told if clause]

    def further(self) -> list[str]:
        """Visits, the other parts of a merged event, and what cooldown held back."""
        clauses = []
        visits = self._facts.get("visits")
        if visits:
            clauses.append(self._say("visits", count=visits))
        parts = self.part_types()
        if parts:
            names = [event_name(part, self._language) for part in parts]
            clauses.append(self._say("parts", events=self._words["words"]["list"].join(names)))
        suppressed = self._facts.get("suppressed")
        if suppressed:
            clauses.append(self._say("suppressed", count=suppressed))
        return clauses

    def part_types(self) -> list[str]:
        """Types of a merged event's parts other than its own, each once."""
        types = [str(part["type"]) for part in self._facts.get("parts", ())]
        return [kind for kind in dict.fromkeys(types) if kind != self._event.type]

    def clock(self, time_ns: int) -> str:
        """Local time of day, HH:MM:SS."""
        zone = ZoneInfo(self._scene.timezone if self._scene else "UTC")
        return f"{datetime.fromtimestamp(time_ns // NS_PER_S, UTC).astimezone(zone):%H:%M:%S}"

    def actor(self, track_ids: Iterable[str]) -> str:
        """Class and id of each track, or "somebody" for none."""
        types = {actor.track_id: actor.type for actor in self._event.actors}
        named = [
            f"{class_name(types[track_id], self._language)} {track_id}"
            if track_id in types
            else track_id
            for track_id in track_ids
        ]
        words = self._words["words"]
        return self._set_apart(words["list"].join(named) or words["someone"])

    def zone(self) -> str:
        """The zone's name; its id when the scene has it no more."""
        zones = None if self._scene is None else self._scene.zones
        return self._place(self._event.zone, zones, "zone")

    def tripwire(self) -> str:
        """The tripwire's name; its id when the scene has it no more."""
        wires = None if self._scene is None else self._scene.tripwires
        # Pacing may be over a tripwire that only its rule names.
        key = self._event.tripwire or self._event.parameters.get("tripwire")
        return self._place(key, wires, "tripwire")

    def _place(self, key: str | None, places: Iterable[Zone | Tripwire] | None, word: str) -> str:
        if key is None or places is None:
            return str(self._words["words"][word])
        return self._set_apart(next((place.name for place in places if place.id == key), key))

    def _set_apart(self, name: str) -> str:
        """A name with the space that Chinese typography puts between it and Latin letters."""
        if self._language != "zh-TW":
            return name
        before, after = (" " if end.isascii() else "" for end in (name[:1], name[-1:]))
        return f"{before}{name}{after}"

    def _say(self, key: str, **values: object) -> str:
        return fill(self._language, "sentences", key, **values).strip()

    def _subject(self) -> str:
        actors = self._event.actors
        subjects = [actor.track_id for actor in actors if actor.role == "subject"]
        return self.actor(subjects or [actor.track_id for actor in actors])

    def _duration(self, *facts: str) -> str:
        """The first of these facts that is known, else from start to end; "" when unknown."""
        for fact in facts:
            if self._facts.get(fact) is not None:
                return self._about(float(self._facts[fact]))
        if self._event.end_ns is None:
            return ""
        return self._about((self._event.end_ns - self._event.start_ns) / NS_PER_S)

    def _about(self, seconds: float) -> str:
        """How long, as an estimate; "under 1 second" is one by itself."""
        spoken = spoken_duration(seconds, self._language)
        if spoken == spoken_duration(0, self._language):
            return spoken
        return fill(self._language, "units", "about", duration=spoken)

    def _ending(self) -> str:
        if self._event.end_ns is None:
            return str(self._words["endings"]["open"])
        return str(self._words["endings"].get(self._facts.get("ended", ""), ""))

    def _open(self, key: str) -> str:
        return f"{key}_open" if self._event.end_ns is None else key

    def _lasting(self, *facts: str) -> list[str]:
        duration = self._duration(*facts)
        said = [self._say(self._open("lasting"), duration=duration)] if duration else []
        return [*said, self._ending()]

    def _line_crossing(self) -> list[str]:
        way = self._facts.get("direction", "")
        named = self._facts.get("direction_name") or self._words["directions"].get(way, "")
        return [
            self._say("line_crossing", actor=self._subject(), tripwire=self.tripwire()),
            self._say("line_crossing_direction", direction=named) if named else "",
        ]

    def _intrusion(self) -> list[str]:
        duration = self._duration("dwell_s")
        return [
            self._say("intrusion", actor=self._subject(), zone=self.zone()),
            self._say(self._open("intrusion_dwell"), duration=duration) if duration else "",
            self._ending(),
        ]

    def _loitering(self) -> list[str]:
        since_start_s = (self._event.established_ns - self._event.start_ns) / NS_PER_S
        duration = self._duration("dwell_s") or self._about(since_start_s)
        # What established it; the average is of the whole stay, ways in and out included.
        speed = self._facts.get("window_speed_px_s", self._facts.get("average_speed_px_s"))
        key = self._open("loitering")
        return [
            self._say(key, actor=self._subject(), zone=self.zone(), duration=duration),
            "" if speed is None else self._say("loitering_slow", speed=round(speed)),
            self._ending(),
        ]

    def _pacing(self) -> list[str]:
        count = self._facts.get("crossings")
        key = "pacing"
        if count is not None:
            way = str(self._facts.get("way"))
            key = {"visits": "pacing_visits", "tripwire": "pacing_line"}.get(way, "pacing_count")
        wire = self.tripwire()
        said = self._say(key, actor=self._subject(), zone=self.zone(), tripwire=wire, count=count)
        return [said, *self._lasting("dwell_s")]

    def _abandoned_object(self) -> list[str]:
        duration = self._duration("alone_s")
        key = self._open("abandoned_object_duration")
        return [
            self._say("abandoned_object", actor=self._subject(), zone=self.zone()),
            self._say(key, duration=duration) if duration else "",
            self._owner(),
            self._ending(),
        ]

    def _owner(self) -> str:
        owners = [actor.track_id for actor in self._event.actors if actor.role == "owner"]
        if not owners:
            return ""
        owner = owners[0]
        left_ns = [m.time_ns for m in self._event.moments if m.what == "owner_left"]
        if not left_ns:
            return self._say("abandoned_object_owner", owner=owner)
        return self._say("abandoned_object_owner_at", owner=owner, time=self.clock(left_ns[0]))

    def _crowding(self) -> list[str]:
        where = self.zone() if self._event.zone else self._camera
        peak = self._facts.get("peak_count")
        key = "crowding" if peak is None else "crowding_peak"
        return [self._say(key, zone=where, count=peak), *self._lasting("duration_s")]

    def _metric(self) -> list[str]:
        path = str(self._facts.get("metricPath") or self._event.parameters.get("metric", ""))
        name = path.rpartition(".")[2]
        if name == "count" and tuple(self._event.parameters.get("classes", ())) == ("person",):
            name = "count_people"
        names = self._words["metrics"]
        where = self.zone() if self._event.zone else self._camera
        operator = str(self._facts.get("operator") or self._event.parameters.get("operator", "GT"))
        value, threshold = self._facts.get("actualValue"), self._facts.get("threshold")
        known = value is not None and threshold is not None
        said = self._say(
            "metric_value" if known else "metric",
            place=self.tripwire() if self._event.tripwire else where,
            metric=names.get(name, names["other"]),
            operator=self._words["operators"].get(operator, operator),
            value=self._amount(value, name) if known else "",
            threshold=self._amount(threshold, name) if known else "",
        )
        return [said, *self._lasting("duration_s")]

    def _amount(self, value: Any, metric: str) -> str:
        if metric.endswith("_s"):
            return spoken_duration(float(value), self._language)
        return f"{float(value):.10g}"

    def _wrong_way(self) -> list[str]:
        angle = self._facts.get("angle_deg")
        return [
            self._say("wrong_way", actor=self._subject(), zone=self.zone()),
            "" if angle is None else self._say("wrong_way_angle", angle=round(angle)),
            *self._lasting("duration_s"),
        ]

    def _speed(self) -> list[str]:
        peak, limit = self._facts.get("peak_speed_px_s"), self._facts.get("limit_px_s")
        key = "speed" if peak is None else "speed_value"
        speed = "" if peak is None else round(peak)
        return [
            self._say(key, actor=self._subject(), zone=self.zone(), speed=speed),
            "" if limit is None else self._say("speed_limit", limit=round(limit)),
            *self._lasting("duration_s"),
        ]

    def _post_left(self) -> list[str]:
        needed = int(self._facts.get("min_people", 1))
        key = "post_left" if needed <= 1 else "post_left_short"
        return [self._say(key, zone=self.zone(), needed=needed), *self._lasting("absent_s")]

    def _camera_tampered(self) -> list[str]:
        views = self._words["views"]
        kinds = [views.get(kind, views["other"]) for kind in self._facts.get("kinds", ())]
        seen = self._words["words"]["list"].join(dict.fromkeys(kinds)) or views["other"]
        return [
            self._say("camera_tampered", camera=self._camera, view=seen),
            *self._lasting("duration_s"),
        ]
