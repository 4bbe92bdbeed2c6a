"""Names of cameras, zones and tripwires, as questions say them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from video_detective.search.lexicon import lexicon, longest, stop_words
from video_detective.search.tokens import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceName:
    """A zone or tripwire. ``ways`` are what the directions over a tripwire are called."""

    id: str
    name: str = ""
    ways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraNames:
    """What people call a camera and what it sees."""

    camera_id: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    zones: tuple[PlaceName, ...] = ()
    tripwires: tuple[PlaceName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A camera, zone or tripwire that a question may be about.

    Args:
        kind: ``camera``, ``zone`` or ``tripwire``.
        camera_id: Which camera, or whose.
        id: Of the zone or tripwire; of a camera its own.
        names: Folded names, the generic word (攝影機) taken off.
        whole: Concepts of places that are the whole of a name (停車場 of 停車場).
        within: Concepts of places that a name has in it (停車場 of 停車場車道).
    """

    kind: str
    camera_id: str
    id: str
    names: tuple[str, ...]
    whole: frozenset[str]
    within: frozenset[str]

    @property
    def token(self) -> str:
        """What the documents of its events hold."""
        if self.kind == "camera":
            return f"camera:{self.camera_id}".lower()
        return f"{self.kind}:{self.id}@{self.camera_id}".lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gazetteer:
    """All names of an installation.

    Args:
        places: Every camera, zone and tripwire.
        phrases: By what is said: those that are called so.
        devices: By what is said: cameras that are then meant as devices, and no others.
        ways: Names of directions.
        pattern: Finds any of them in a folded text.
        lines: The names of all places, one a line.
    """

    places: tuple[Place, ...]
    phrases: Mapping[str, tuple[Place, ...]]
    devices: Mapping[str, tuple[str, ...]]
    ways: frozenset[str]
    pattern: re.Pattern[str]
    lines: str

    def found(self, folded: str) -> list[tuple[int, int, str]]:
        """Names in a text: begin, end and the phrase; none that is part of a longer known word."""
        words = [
            match.span()
            for match in lexicon().pattern.finditer(folded)
            if match.end() - match.start() > 1
        ]
        kept = []
        for match in self.pattern.finditer(folded):
            begin, end = match.span()
            inside = any(b <= begin and end <= e and e - b > end - begin for b, e in words)
            if begin < end and not inside:
                kept.append((begin, end, _key(match.group())))
        return kept

    def found_devices(self, folded: str) -> list[tuple[int, int, tuple[str, ...]]]:
        """Cameras that a text speaks of as devices.

        Returns:
            Begin, end and ids; no ids for a number that no camera has.
        """
        found: list[tuple[int, int, tuple[str, ...]]] = []
        for match in _NUMBERED_DEVICE.finditer(folded):
            said = match.group(1) or match.group(2)
            found.append((*match.span(), self._numbered(_number(said))))
        for begin, end, phrase in self.found(folded):
            ids = self.devices.get(phrase, ())
            after = _DEVICE_AFTER.match(folded, end)
            if not ids and after:
                called = self.called(phrase)
                ids = tuple(place.camera_id for place in called if place.kind == "camera")
            if ids:
                found.append((begin, after.end() if after else end, ids))
        return found

    def called(self, phrase: str) -> tuple[Place, ...]:
        """Places of exactly that name."""
        return self.phrases.get(_key(phrase), ())

    def whole(self, keys: Iterable[str]) -> tuple[Place, ...]:
        """Places whose whole name means one of these concepts."""
        wanted = frozenset(keys)
        return tuple(place for place in self.places if place.whole & wanted)

    def within(self, keys: Iterable[str]) -> tuple[Place, ...]:
        """Places that have one of these concepts in their name."""
        wanted = frozenset(keys)
        return tuple(place for place in self.places if place.within & wanted)

    def telling_part(self, run: str) -> tuple[int, str] | None:
        """The longest part of a run that some name has in it, and where it begins."""
        if run.isascii():
            return (0, run) if len(run) > 1 and run in self.lines else None
        most = max(map(len, self.lines.split("\n")))
        for length in range(min(len(run), most), 1, -1):
            for begin in range(len(run) - length + 1):
                if (part := run[begin : begin + length]) in self.lines:
                    return begin, part
        return None

    def telling(self, part: str) -> tuple[Place, ...]:
        """Places with that part in their name."""
        return tuple(place for place in self.places if any(part in name for name in place.names))

    def _numbered(self, number: int) -> tuple[str, ...]:
        return tuple(
            place.camera_id
            for place in self.places
            if place.kind == "camera"
            and (digits := re.search(r"\d+$", place.camera_id))
            and int(digits.group()) == number
        )


@lru_cache(maxsize=16)
def gazetteer(cameras: tuple[CameraNames, ...]) -> Gazetteer:
    """The names of these cameras, ready to be looked for."""
    places: list[Place] = []
    phrases: dict[str, list[Place]] = {}
    devices: dict[str, list[str]] = {}
    ways: set[str] = set()
    for camera in cameras:
        said = (camera.name, *camera.aliases)
        place = _place("camera", camera.camera_id, camera.camera_id, said)
        places.append(place)
        identifier = _key(fold(camera.camera_id))
        if re.search(r"[0-9_-]", camera.camera_id):
            devices.setdefault(identifier, []).append(camera.camera_id)
        else:
            phrases.setdefault(identifier, []).append(place)
        for name in said:
            if _is_device(name):
                devices.setdefault(_key(fold(name)), []).append(camera.camera_id)
        _enter(phrases, place, said)
        for kind, entries in (("zone", camera.zones), ("tripwire", camera.tripwires)):
            for entry in entries:
                inner = _place(kind, camera.camera_id, entry.id, (entry.name,))
                places.append(inner)
                # A plain word as an id (queue) is no name that people say.
                known = (entry.name, entry.id) if re.search(r"[0-9_-]", entry.id) else (entry.name,)
                _enter(phrases, inner, known)
                ways.update(fold(way) for way in entry.ways if len(way) > 1)
    ways = {way for way in ways if way not in lexicon().words and way not in phrases}
    return Gazetteer(
        places=tuple(places),
        phrases={key: tuple(dict.fromkeys(found)) for key, found in phrases.items()},
        devices={key: tuple(dict.fromkeys(found)) for key, found in devices.items()},
        ways=frozenset(ways),
        pattern=longest([*phrases, *devices, *ways]) if cameras else re.compile(r"(?!)"),
        lines="\n".join(name for place in places for name in place.names),
    )


def _place(kind: str, camera_id: str, own_id: str, said: Sequence[str]) -> Place:
    names = tuple(dict.fromkeys(bare for name in said if (bare := _bare(fold(name)))))
    found = [list(_place_words(name)) for name in names]
    return Place(
        kind=kind,
        camera_id=camera_id,
        id=own_id,
        names=names,
        whole=frozenset(
            key
            for name, words in zip(names, found, strict=True)
            for word, own, _ in words
            if word == name
            for key in own
        ),
        within=frozenset(key for words in found for _, _, keys in words for key in keys),
    )


def _place_words(name: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Words for places in a name, each with its concepts, and with those they are among."""
    for match in lexicon().pattern.finditer(name):
        concepts = [c for c in lexicon().word(match.group()).concepts if c.kind == "place"]
        if concepts:
            own = [concept.key for concept in concepts]
            yield match.group(), own, [key for concept in concepts for key in concept.keys]


def _enter(phrases: dict[str, list[Place]], place: Place, said: Sequence[str]) -> None:
    for name in said:
        whole = fold(name).strip()
        bare = _bare(whole)
        known = lexicon().words.get(_key(bare))
        # 排隊 of 排隊區 is what people do, no place.
        other = known is not None and all(concept.kind != "place" for concept in known.concepts)
        for phrase in {whole, bare} if not other else {whole}:
            for form in {phrase, _unspaced(phrase)}:
                if len(form) > 1 and (not form.isdigit()):
                    phrases.setdefault(_key(form), []).append(place)


def _is_device(name: str) -> bool:
    folded = fold(name)
    return any(word in folded for word in _GENERIC_DEVICES) and _bare(folded) != folded


def _bare(folded: str) -> str:
    """A name without the generic word at its end or beginning."""
    for word in stop_words().generic_names:
        rest = folded.removesuffix(word).strip()
        if rest != folded and len(rest) > 1:
            return rest
    return folded.strip()


def _unspaced(phrase: str) -> str:
    """Without the spaces beside Chinese characters."""
    kept = [b for a, b in pairwise(f" {phrase} ") if b != " " or (a.isascii() and a.strip() != "")]
    joined = "".join(kept).strip()
    return re.sub(r" (?=[^\x00-\x7f])", "", joined)


def _key(phrase: str) -> str:
    return " ".join(phrase.replace("-", " ").split())


_GENERIC_DEVICES = tuple(
    fold(word) for word in ("攝影機", "監視器", "鏡頭", "攝像頭", "攝像機", "camera", "cctv")
)


_NUMBERED_DEVICE = re.compile(
    r"(?:第)?(\d{1,3}|[一二三四五六七八九十]{1,2}) ?(?:号|支|台|只)(?:的)?"
    r"(?:摄影机|监视器|镜头|摄像头|摄像机|监控|机)(?!房)|"
    r"(?:摄影机|监视器|镜头|摄像头|摄像机|\bcamera|\bcam)(?: number| no\.?)? ?#?(\d{1,3})(?!\d)号?"
)
_DEVICE_AFTER = re.compile(
    r" ?(?:的|那支|那台|这支|这台)?(?:摄影机|监视器|镜头|摄像头|摄像机|监控|cameras?\b|cctv)"
    r"(?!被|异常|遮|模糊|故障|破坏|坏)"
)
_NUMERALS = {numeral: value for value, numeral in enumerate("一二三四五六七八九十", 1)}


def _number(said: str) -> int:
    """Of digits, or of Chinese numerals up to 99."""
    if said.isdigit():
        return int(said)
    if len(said) == 1:
        return _NUMERALS[said]
    tens, ones = said[0], said[1]
    if tens == "十":
        return 10 + _NUMERALS[ones]
    return 10 * _NUMERALS[tens] + (0 if ones == "十" else _NUMERALS[ones])
