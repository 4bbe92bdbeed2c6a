"""Live streams: RTSP, HTTP(S) and devices, reconnected for as long as they are wanted."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from video_detective.errors import SourceLostError, UnsupportedSourceError
from video_detective.geometry import NS_PER_S
from video_detective.media.addresses import scheme_of, without_secret
from video_detective.media.base import Frame, Loss, Position, SourceInfo
from video_detective.media.decoding import (
    CODEC_OPTIONS,
    LEAP_NS,
    LossBook,
    Pictures,
    frame_period_ns,
    stamp_ns,
    ticks_to_ns,
    video_stream,
)
from video_detective.media.recorder import Recorder

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 10.0
"""A camera that sends nothing for so long is lost; even key frames alone come every few seconds."""
LONGEST_WAIT_S = 30.0
STALE_NS = 2 * NS_PER_S
"""A first connection left unread for longer is made anew: its frames would be late for good."""
MAX_WAITING = 100
"""Packets without a timestamp after which the stream is taken to have none."""
MAX_GAPS = 1000
"""Gaps remembered; the count of losses goes on."""

_PROTOCOLS = {
    "rtsp": "rtp,tcp,tls,crypto",
    "rtsps": "rtp,tcp,tls,crypto",
    "http": "http,https,tcp,tls,crypto",
    "https": "http,https,tcp,tls,crypto",
}
"""What a stream may open: playlists may lead to other HTTP servers, never to files."""
_UNTIMED_FORMATS = frozenset({"mpjpeg", "mjpeg", "h264", "hevc", "m4v"})
"""Formats without timestamps, for which FFmpeg makes them up at 25 a second."""


@dataclass(slots=True)
class _Anchor:
    """Where the stream's clock and ours were read together, and the stream's latest timestamp."""

    stamp_ns: int
    time_ns: int
    latest_ns: int

    def time_of(self, stamp_ns: int) -> int:
        return self.time_ns + stamp_ns - self.stamp_ns


class LiveStream:
    """A live stream as a ``Source``.

    The first connection is made on construction. A frame's time is the wall clock when the
    connection's first packet came plus the stream's own time since then, so that network jitter
    does not disturb speeds; every reconnection reads the clock anew.

    Args:
        address: ``rtsp://``, ``rtsps://``, ``http://``, ``https://``, or a video device's path.
        clock: Gives UTC ns.
        recorder: Keeps the packets, so that evidence can be cut out later.
        start_ns: UTC ns from which ``pts_ns`` counts, when an earlier run began the stream.
        wait: Waits for that many seconds before a reconnection; by default, until ``stop()`` at
            the latest.
        open_timeout_s, read_timeout_s: After which a silent camera counts as lost.

    Raises:
        SourceLostError: it cannot be reached now.
        UnsupportedSourceError: it answers, but without video that can be decoded.
    """

    def __init__(
        self,
        address: str,
        *,
        clock: Callable[[], int],
        recorder: Recorder | None = None,
        start_ns: int | None = None,
        wait: Callable[[float], None] | None = None,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._address = address
        self._shown = without_secret(address)
        self._clock = clock
        self._recorder = recorder
        self._stopped = threading.Event()
        self._wait = wait or self._wait_until_stopped
        self._timeouts = (open_timeout_s, read_timeout_s)
        self._losses = LossBook()
        self._gaps: list[tuple[int, int]] = []
        self._connection: tuple[InputContainer, VideoStream] | None = self._connect()
        self._connected_ns = clock()
        stream = self._connection[1]
        self._last_ns: int | None = None
        self._frame_ns = frame_period_ns(stream)
        self._pictures = Pictures(self._losses)
        self._info = SourceInfo(
            name=self._shown,
            width=stream.width,
            height=stream.height,
            codec=stream.codec_context.name,
            duration_ns=None,
            frame_count=None,
            start_ns=clock() if start_ns is None else start_ns,
            start_from="clock" if start_ns is None else "option",
            fingerprint=f"sha256-address:{hashlib.sha256(self._shown.encode()).hexdigest()}",
            live=True,
        )

    def __repr__(self) -> str:
        return f"LiveStream({self._shown!r})"

    @property
    def info(self) -> SourceInfo:
        """What is known before decoding."""
        return self._info

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What was lost so far, one entry per reason."""
        return self._losses.entries()

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """When nothing was seen: (last frame before, first frame after) in UTC ns, latest 1000."""
        return tuple(self._gaps)

    def stop(self) -> None:
        """End ``frames()`` at the next packet, time-out or wait; from any thread."""
        self._stopped.set()

    def frames(self, *, after: Position | None = None) -> Iterator[Frame]:
        """Frames as they come, until ``stop()`` or the end of a stream of known length.

        Args:
            after: Numbering goes on behind it, and times stay above it; nothing can be sought.
        """
        index = 0
        if after is not None:
            index = after.index + 1
            self._last_ns = self._info.start_ns + after.pts_ns
        if self._clock() - self._connected_ns > STALE_NS:
            self._disconnect()
        try:
            for decoded, time_ns in self._decoded():
                luma, to_bgr = self._pictures.convert(decoded, pts_ns=time_ns - self._info.start_ns)
                yield Frame(
                    index=index,
                    pts_ns=time_ns - self._info.start_ns,
                    time_ns=time_ns,
                    luma=luma,
                    to_bgr=to_bgr,
                )
                index += 1
        finally:
            self._disconnect()

    def _decoded(self) -> Iterator[tuple[VideoFrame, int]]:
        """Frames of all connections with their UTC times, strictly increasing."""
        attempts = 0
        was_lost = False
        while not self._stopped.is_set():
            try:
                if self._connection is None:
                    self._connection = self._connect()
                for decoded, time_ns in self._received(*self._connection):
                    placed_ns = self._strictly_later(time_ns)
                    if was_lost:
                        self._note_gap(placed_ns)
                        was_lost = False
                    attempts = 0
                    self._last_ns = placed_ns
                    yield decoded, placed_ns
                    if self._stopped.is_set():
                        return
                if self._connection[0].duration:
                    return  # a recording served over the network has come to its end
            except (SourceLostError, UnsupportedSourceError, av.error.FFmpegError):
                pass  # whatever the cause: counted as a gap once frames come again
            self._disconnect()
            was_lost = True
            if not self._stopped.is_set():
                self._wait(min(2.0**attempts, LONGEST_WAIT_S))
                attempts = min(attempts + 1, 10)

    def _received(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[tuple[VideoFrame, int]]:
        """Frames of one connection with their UTC times."""
        reorder_ns = 2 * stream.codec_context.reorder_depth * self._frame_ns
        anchors: list[_Anchor] = []
        for packet in self._stamped(container, stream):
            stamp = _packet_stamp(packet)
            if stamp is not None:
                self._follow(anchors, stamp, reorder_ns)
            try:
                frames = packet.decode()
            except av.error.EOFError:
                frames = []
            except av.error.FFmpegError:
                self._losses.add("damaged_packets", pts_ns=None, detail="{count} packet(s) damaged")
                continue
            if self._recorder is not None and stamp is not None:
                self._record(self._recorder, packet, anchors[-1].time_of(stamp))
            for frame in frames:
                shown = stamp_ns(frame, stream)
                if shown is not None:
                    yield frame, _nearest(anchors, shown).time_of(shown)
            if self._stopped.is_set():
                return

    def _stamped(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[Packet[VideoStream]]:
        """Packets, each but the last with a presentation timestamp.

        The first of an RTSP stream often has none yet; those wait for the next one that has.
        """
        base = stream.time_base or Fraction(1, 90_000)
        step = max(round(self._frame_ns / (base * NS_PER_S)), 1)
        is_timed = container.format.name not in _UNTIMED_FORMATS
        waiting: list[Packet[VideoStream]] = []
        last: int | None = None
        for packet in container.demux(stream):
            if packet.size and not is_timed:
                packet.pts = packet.dts = int(self._clock() / (base * NS_PER_S))
            elif packet.size and packet.pts is None:
                if last is None and len(waiting) < MAX_WAITING:
                    waiting.append(packet)
                    continue
                packet.pts = packet.dts = (last or 0) + step
            for back, earlier in enumerate(reversed(waiting), start=1):
                earlier.pts = earlier.dts = (packet.pts or 0) - back * step
            yield from waiting
            waiting.clear()
            last = packet.pts
            yield packet

    def _follow(self, anchors: list[_Anchor], stamp: int, reorder_ns: int) -> None:
        """Note a packet's timestamp; read the clock at the first, and anew behind a leap."""
        if anchors:
            step = stamp - anchors[-1].latest_ns
            if -reorder_ns <= step <= LEAP_NS:
                anchors[-1].latest_ns = max(stamp, anchors[-1].latest_ns)
                return
            self._losses.add(
                "out_of_order", pts_ns=None, detail="{count} leap(s) of the stream's timestamps"
            )
            if self._recorder is not None:
                self._recorder.cut()
        now_ns = self._clock()
        if self._last_ns is not None:
            now_ns = max(now_ns, self._last_ns + self._frame_ns)
        # The one before stays: the decoder may still hold frames of it.
        anchors[:] = [*anchors[-1:], _Anchor(stamp, now_ns, stamp)]

    def _strictly_later(self, time_ns: int) -> int:
        if self._last_ns is None or time_ns > self._last_ns:
            return time_ns
        return self._last_ns + 1_000_000

    def _record(self, recorder: Recorder, packet: Packet[VideoStream], time_ns: int) -> None:
        try:
            recorder.write(packet, time_ns)
        except (av.error.FFmpegError, OSError) as error:
            self._losses.add(
                "not_recorded", pts_ns=max(time_ns - self._info.start_ns, 0),
                detail=f"{{count}} packet(s) not recorded ({error.strerror})",
            )  # fmt: skip

    def _note_gap(self, first_ns: int) -> None:
        last_ns = self._last_ns if self._last_ns is not None else self._info.start_ns
        pts_ns = max(last_ns - self._info.start_ns, 0)
        self._gaps = [*self._gaps[-MAX_GAPS + 1 :], (last_ns, first_ns)]
        self._losses.add("reconnected", pts_ns=pts_ns, detail="connected again {count} time(s)")
        self._losses.add(
            "gap", pts_ns=pts_ns, count=max(round((first_ns - last_ns) / NS_PER_S), 1),
            detail="nothing was seen for {count} second(s) in all",
        )  # fmt: skip

    def _connect(self) -> tuple[InputContainer, VideoStream]:
        scheme = scheme_of(self._address)
        options = dict(CODEC_OPTIONS)
        if scheme is None:
            options["protocol_whitelist"] = "none"
        else:
            options["protocol_whitelist"] = _PROTOCOLS[scheme]
        if scheme in ("rtsp", "rtsps"):
            options["rtsp_transport"] = "tcp"
        try:
            container = av.open(
                self._address, "r", format="v4l2" if scheme is None else None,
                options=options, timeout=self._timeouts, metadata_errors="replace",
            )  # fmt: skip
        except (av.error.FFmpegError, ValueError) as error:
            # Not "from error": FFmpeg's message repeats the address with its password.
            raise SourceLostError(
                f"{self._shown} cannot be reached ({_cause(error)})",
                remedy="Check the address, the user and password, and that the camera is on.",
                reason="camera_unreachable",
                address=self._shown,
                cause=_cause(error),
            ) from None
        stream = video_stream(container)
        if stream is None or not stream.width:
            container.close()
            raise UnsupportedSourceError(
                f"{self._shown} sends no video that can be decoded",
                remedy="Check which stream of the camera this address is.",
                reason="camera_no_video",
                address=self._shown,
            )
        return container, stream

    def _disconnect(self) -> None:
        if self._recorder is not None:
            self._recorder.cut()
        if self._connection is not None:
            self._connection[0].close()
            self._connection = None

    def _wait_until_stopped(self, seconds: float) -> None:
        self._stopped.wait(seconds)


def _cause(error: Exception) -> str:
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return "user or password refused"
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return "no answer in time"
    return str(getattr(error, "strerror", None) or "no answer")


def _packet_stamp(packet: Packet[VideoStream]) -> int | None:
    if packet.pts is None or not packet.size:
        return None
    return ticks_to_ns(packet.pts, packet.time_base)


def _nearest(anchors: list[_Anchor], stamp: int) -> _Anchor:
    return min(anchors, key=lambda anchor: abs(stamp - anchor.latest_ns))
