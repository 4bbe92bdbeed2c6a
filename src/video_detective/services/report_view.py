"""What a report's template shows: words, times and places of everything on the page."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from video_detective.geometry import NS_PER_S
from video_detective.narration.catalogue import Language, spoken_duration
from video_detective.narration.measures import asked, fact_name, measured, measures
from video_detective.narration.template import event_name, moment_text, risk_name
from video_detective.services import report_plots
from video_detective.services.report_axis import HOUR_NS
from video_detective.services.report_counts import counts_view
from video_detective.services.report_findings import Findings, began_in, length_ns
from video_detective.services.report_pictures import Picture
from video_detective.storage import EvidenceRow, StoredEvent
from video_detective.storage.counting import BEFORE

MAX_GAPS = 50
_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSentence:
    """A sentence of a model, and the ids of the events that it rests on."""

    text: str
    event_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSummary:
    """A model's words on the period; citations must have been checked by whoever asked it."""

    sentences: tuple[ToldSentence, ...]
    model: str


class ReportView:
    """Everything on the page but the pictures, in one language.

    Args:
        findings: What was looked up.
        language: Of the words.
        text: The template's catalogue in it.
    """

    def __init__(self, findings: Findings, language: Language, text: Mapping[str, str]) -> None:
        self._findings = findings
        self._axis = findings.axis
        self._language: Language = language
        self._text = text
        # Ids of imported events may hold anything: anchors are numbers.
        self._anchors = {
            **{stored.event.event_id: f"g{n}" for n, stored in enumerate(findings.gravest, 1)},
            **{stored.event.event_id: f"e{n}" for n, stored in enumerate(findings.listed, 1)},
        }

    def values(self, pictures: Sequence[Picture], summary: ToldSummary | None) -> dict[str, Any]:
        """What the template asks for.

        Args:
            pictures: Of ``findings.gravest``, in that order.
            summary: A model's words, if any.
        """
        grave = self._findings.gravest
        return {
            **self._header(is_told=summary is not None or any(map(self._words, grave))),
            **self._plots(),
            **self._coverage(),
            **self._events(pictures),
            **counts_view(
                self._findings.counted,
                self._findings.cameras,
                self._axis,
                self._anchors,
                self._language,
                self._text,
            ),
            "told": summary and self._told(summary),
            "comma": "\u3001" if self._language == "zh-TW" else ", ",
            "risks": {level: risk_name(level, self._language) for level in report_plots.STACK},
            "height": report_plots.HEIGHT_PX,
        }

    # --- header

    def _header(self, *, is_told: bool) -> dict[str, Any]:
        findings, axis, text = self._findings, self._axis, self._text
        since = self._edge(axis.since_ns, offset=False)
        until = self._edge(axis.until_ns, offset=False)
        if until[:10] == since[:10]:
            until = until[11:]
        others = [
            f"{name} ({findings.places.zone(key).key})"
            for key, name in findings.cameras.items()
            if findings.places.zone(key).key != axis.zone.key
        ]
        return {
            "title": text["title"].format(since=since, until=until),
            "period": len(axis.offsets) > 1
            and f"{self._edge(axis.since_ns)} – {self._edge(axis.until_ns)}",
            "zone_key": axis.zone.key,
            "offsets": [
                text["zone_since"].format(since=self._edge(at_ns, offset=False), offset=offset)
                if number
                else f"UTC{offset}"
                for number, (at_ns, offset) in enumerate(axis.offsets)
            ],
            "zones_differ": others
            and text["zones_differ"].format(zone=axis.zone.key, cameras=", ".join(others)),
            "cameras": findings.cameras,
            "made": axis.told(findings.now_ns),
            "lead": self._lead(),
            "by_rules": text["by_rules_and_model" if is_told else "by_rules"],
        }

    def _lead(self) -> list[str]:
        """What a reader must know first, in sentences."""
        findings, text = self._findings, self._text
        total = findings.counts.total
        types = Counter[str]()
        for row in findings.counts.kinds:
            types[row.type] += row.count
        said = []
        (kind, most), (_, second) = [*types.most_common(2), ("", 0), ("", 0)][:2]
        if total > 1 and most == second:
            said.append(text["lead_tied"].format(count=f"{total:,}", types=len(types)))
        elif total > 1:
            name = event_name(kind, self._language)
            said.append(text["lead_many"].format(count=f"{total:,}", type=name, most=f"{most:,}"))
        else:
            said.append(text["lead_one" if total else "lead_none"])
        _, earlier = began_in(findings)
        if earlier:
            said.append(text["lead_earlier"].format(count=f"{earlier:,}"))
        missing = sum(bool(findings.gaps(key)) for key in findings.cameras)
        if not findings.cameras:
            said.append(text["lead_no_cameras"])
        elif not any(findings.coverage.values()):
            said.append(text["lead_no_recording"])
        elif missing == len(findings.cameras) == 1:
            said.append(text["lead_gaps_one"])
        elif missing:
            said.append(text["lead_gaps"].format(cameras=len(findings.cameras), missing=missing))
        else:
            said.append(text["lead_complete"])
        if findings.known_until_ns < self._axis.until_ns:
            said.append(text["lead_future"].format(until=self._axis.told(findings.known_until_ns)))
        return said

    # --- plots

    def _plots(self) -> dict[str, Any]:
        axis = self._axis
        began, _ = began_in(self._findings)
        names = [axis.told(max(s.start_ns, axis.since_ns), seconds=False) for s in axis.stretches]
        columns = report_plots.columns(
            [(axis.share(s.start_ns), axis.share(s.end_ns)) for s in axis.stretches],
            names,
            began,
            # One that began before the period has its begin outside the plot.
            [s.tick if s.start_ns >= axis.since_ns else "" for s in axis.stretches],
        )
        by_type = defaultdict[str, Counter[str]](Counter)
        by_camera = defaultdict[str, Counter[str]](Counter)
        for row in self._findings.counts.kinds:
            by_type[row.type][row.risk_level] += row.count
            by_camera[row.camera_id][row.risk_level] += row.count
        types = report_plots.rows({k: event_name(k, self._language) for k in by_type}, by_type)
        cameras = report_plots.rows(self._findings.cameras, by_camera)
        return {
            "over_time": columns,
            "over_time_unit": self._text[f"unit_{axis.unit}"],
            "over_time_desc": self._columns_desc(columns),
            "by_hour": self._by_hour(),
            "by_type": types,
            "by_type_desc": self._rows_desc(types),
            "by_camera": cameras,
            "by_camera_desc": self._rows_desc(cameras),
        }

    def _by_hour(self) -> dict[str, Any] | None:
        """The day's 24 hours, where the bars over time do not already show them."""
        if not self._axis.clock.shifts:
            return None
        hours = [Counter[str]() for _ in range(_HOURS)]
        for row in self._findings.counts.hours:
            hours[row.hour][row.risk_level] += row.count
        columns = report_plots.columns(
            [(hour / _HOURS, (hour + 1) / _HOURS) for hour in range(_HOURS)],
            [f"{hour:02}:00" for hour in range(_HOURS)],
            hours,
            ["" if hour % 3 else f"{hour:02}:00" for hour in range(_HOURS)],
        )
        return {"columns": columns, "desc": self._columns_desc(columns)}

    def _columns_desc(self, columns: report_plots.Columns) -> str:
        highest = max(columns.bars, key=lambda bar: bar.count)
        if not highest.count:
            return self._text["over_time_desc_none"]
        return self._text["over_time_desc"].format(
            bars=len(columns.bars), label=highest.label, count=f"{highest.count:,}"
        )

    def _rows_desc(self, rows: Sequence[report_plots.Bar]) -> str:
        if not rows:
            return ""
        return self._text["by_desc"].format(name=rows[0].label, count=f"{rows[0].count:,}")

    # --- coverage

    def _coverage(self) -> dict[str, Any]:
        findings, axis = self._findings, self._axis
        known_ns = findings.known_until_ns - axis.since_ns
        pieces = axis.pieces
        began = defaultdict[str, Counter[int]](Counter)
        for row in findings.counts.stretches:
            if row.stretch != BEFORE:
                start_ns = axis.counted_ns(row.stretch)
                number = bisect_right(pieces, start_ns, key=lambda piece: piece[0]) - 1
                began[row.camera_id][number] += row.count
        most = max((count for each in began.values() for count in each.values()), default=0)
        strips = []
        for key, name in findings.cameras.items():
            spans = findings.coverage[key]
            missing = findings.gaps(key)
            share = self._percent(length_ns(spans), known_ns)
            strips.append(
                {
                    "name": name,
                    "key": key,
                    "share": self._text["recorded_share"].format(share=share),
                    "recorded": report_plots.strips(axis, spans),
                    "gaps": report_plots.strips(axis, missing),
                    "events": report_plots.marks(axis, began[key], pieces, most),
                    "desc": self._text["coverage_desc"].format(
                        camera=name,
                        share=share,
                        duration=self._duration(length_ns(spans)),
                        gaps=f"{len(missing):,}",
                    ),
                    "duration": self._duration(length_ns(spans)),
                    "missing": self._duration(length_ns(missing)),
                }
            )
        later = 100 * axis.share(findings.known_until_ns)
        return {"strips": strips, "known_percent": later, **self._gap_list()}

    def _gap_list(self) -> dict[str, Any]:
        """The longest gaps in order of camera and time, and what is not among them."""
        findings, axis = self._findings, self._axis
        every = [(key, *gap) for key in findings.cameras for gap in findings.gaps(key)]
        every.sort(key=lambda gap: gap[1] - gap[2])
        shown, rest = every[:MAX_GAPS], every[MAX_GAPS:]
        return {
            "gaps": [
                {
                    "camera": findings.cameras[key],
                    "from": axis.told(start),
                    "to": axis.told(end),
                    "is_whole": (start, end) == (axis.since_ns, axis.until_ns),
                    "duration": self._duration(end - start),
                }
                for key, start, end in sorted(shown)
            ],
            "gaps_more": rest
            and self._text["gaps_more"].format(
                shown=len(shown),
                count=f"{len(rest):,}",
                duration=self._duration(length_ns([gap[1:] for gap in rest])),
            ),
        }

    # --- events

    def _events(self, pictures: Sequence[Picture]) -> dict[str, Any]:
        findings = self._findings
        total = findings.counts.total
        gravest = []
        hashes = []
        for stored, picture in zip(findings.gravest, pictures, strict=True):
            entry = self._entry(stored)
            caption = self._caption(stored, picture)
            gravest.append({**entry, "picture": picture, "words": self._words(stored), **caption})
            for row in (picture.row, picture.original):
                if row is not None:
                    hashes.append(self._hash(entry, row))
        text = self._text
        return {
            "gravest": gravest,
            "gravest_note": text["gravest_all"]
            if total <= len(gravest)
            else text["gravest_more"].format(shown=len(gravest), count=f"{total:,}"),
            "events": [self._entry(stored) for stored in findings.listed],
            "events_more": text["events_more"].format(
                shown=f"{len(findings.listed):,}", count=f"{total - len(findings.listed):,}"
            )
            if total > len(findings.listed)
            else "",
            "hashes": hashes,
        }

    def _entry(self, stored: StoredEvent) -> dict[str, Any]:
        event = stored.event
        told = (stored.summary_zh, stored.summary_en)
        if self._language == "en":
            told = told[::-1]
        name = event_name(event.type, self._language)
        zone = self._axis.zone
        return {
            "facts": [
                {
                    "name": fact_name(one.key, self._language),
                    "value": measured(one, self._language, zone),
                    "asked": asked(one, self._language, zone),
                }
                for one in measures(event)
            ],
            "id": event.event_id,
            "anchor": self._anchors[event.event_id],
            "time": self._time(event.start_ns, event.end_ns),
            "camera": self._findings.cameras.get(event.camera_id, event.camera_id),
            "type": name,
            "risk_level": event.risk_level,
            "description": told[0] or told[1] or name,
        }

    def _caption(self, stored: StoredEvent, picture: Picture) -> dict[str, Any]:
        """What the picture shows, of which moment, and how close it is to the stored one."""
        row = picture.row
        if picture.absence is not None or row is None:
            return {"absence": self._text[f"no_picture_{picture.absence or 'none'}"]}
        scene = self._findings.places.scene(stored.event.camera_id)
        moments = (m for m in stored.event.moments if m.time_ns == row.time_ns)
        said = [moment_text(m, stored.event, self._language, scene=scene) for m in moments]
        how = self._text["picture_unchanged" if picture.unchanged else "picture_scaled"]
        return {
            "absence": "",
            "shows": said[0] if said else row.what,
            "shown_at": self._axis.told(row.time_ns)[11:],
            "how": how,
        }

    def _words(self, stored: StoredEvent) -> dict[str, str] | None:
        """What a model said about the event, when it said it well and in this language."""
        said = stored.narration
        if (
            said is None
            or not (said.status == "done" and said.model and said.text)
            or said.language != self._language
            or "language" in said.flags
        ):
            return None
        return {"by": self._text["words_by"].format(model=said.model), "text": said.text}

    def _hash(self, entry: Mapping[str, Any], row: EvidenceRow) -> dict[str, Any]:
        return {
            "anchor": entry["anchor"],
            "id": entry["id"],
            "moment": self._axis.told(row.time_ns),
            "kind": self._text[f"kind_{row.kind}"],
            "size": f"{row.width} × {row.height}",
            "sha256": row.sha256,
        }

    def _told(self, summary: ToldSummary) -> dict[str, Any]:
        return {
            "by": self._text["told_by"].format(model=summary.model),
            "sentences": [
                {
                    "text": sentence.text,
                    "links": [(key, self._anchors.get(key)) for key in sentence.event_ids],
                }
                for sentence in summary.sentences
            ],
        }

    # --- words

    def _edge(self, time_ns: int, *, offset: bool = True) -> str:
        """A begin or end, without seconds that say nothing."""
        has_seconds = bool(time_ns % (60 * NS_PER_S))
        return self._axis.told(time_ns, seconds=has_seconds, offset=offset)

    def _time(self, start_ns: int, end_ns: int | None) -> str:
        start = self._axis.told(start_ns)
        if end_ns is None:
            return f"{start} – {self._text['ongoing']}"
        end = self._axis.told(end_ns)
        if end == start:
            return start
        is_same_day = end[:10] == start[:10] and len(self._axis.offsets) == 1
        return f"{start} – {end[11:] if is_same_day else end}"

    def _duration(self, duration_ns: int) -> str:
        if duration_ns == 0:
            return self._text["no_duration"]
        hours = round(duration_ns / HOUR_NS)
        if hours >= 2 * _HOURS:
            days, hours = divmod(hours, _HOURS)
            return self._text["days_hours" if hours else "days"].format(d=days, h=hours)
        return spoken_duration(duration_ns / NS_PER_S, self._language)

    @staticmethod
    def _percent(part_ns: int, whole_ns: int) -> str:
        """Rounded, but 0 % and 100 % only when nothing, or nothing else, is there."""
        if part_ns <= 0 or whole_ns <= 0:
            return "0 %"
        if part_ns >= whole_ns:
            return "100 %"
        return f"{min(max(100 * part_ns / whole_ns, 0.1), 99.9):.1f} %"
