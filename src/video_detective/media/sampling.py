"""Which frames are looked at: N a second of video time, by presentation timestamp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from video_detective.errors import UsageError
from video_detective.geometry import NS_PER_S

EARLY_SHARE = Fraction(1, 20)
EARLY_NS = 10_000_000
"""How early a frame may come and still be on a grid point: 1/20 of a period, at most 10 ms.

Containers round timestamps (Matroska to 1 ms, GIF to 10 ms); without it a 15 fps Matroska file
sampled at 15 fps would lose every third frame.
"""


@dataclass(frozen=True, slots=True)
class Due:
    """Whether a frame is due at the active rate, and at the idle rate too (never idle alone)."""

    active: bool
    idle: bool


class Grid:
    """Moments ``k / fps`` of video time, in exact integer arithmetic."""

    __slots__ = ("_divisor", "_early", "_factor")

    def __init__(self, fps: float) -> None:
        rate = Fraction(fps).limit_denominator(1000)
        early = min(EARLY_SHARE, Fraction(EARLY_NS, NS_PER_S) * rate)
        self._factor = rate.numerator * early.denominator
        self._early = early.numerator * NS_PER_S * rate.denominator
        self._divisor = NS_PER_S * rate.denominator * early.denominator

    def point(self, pts_ns: int) -> int:
        """Number of the last grid point that a time has reached, or reaches within ``EARLY_NS``."""
        return (pts_ns * self._factor + self._early) // self._divisor


class Sampler:
    """Chooses frames on two fixed grids of video time, ``k / fps`` and ``k / idle_fps``.

    A frame is due when it is the first at or after a grid point (less ``EARLY_NS``). Grid points
    that no frame reaches in time are skipped, not made up for, so that a slow or irregular source
    gives each of its frames at most once and the grid never drifts.

    Args:
        fps: Frames per second of video time while anything moves, > 0.
        idle_fps: Frames per second when idle, > 0 and at most ``fps``.

    Raises:
        UsageError: a rate is not positive, or idle is above active.
    """

    def __init__(self, *, fps: float = 5.0, idle_fps: float = 1.0) -> None:
        if not 0 < fps <= 1000 or not 0 < idle_fps <= fps:
            raise UsageError(
                f"sampling rates fps={fps:g}, idle_fps={idle_fps:g} are impossible",
                remedy="Use 0 < idle_fps <= fps <= 1000.",
            )
        self._active = Grid(fps)
        self._idle = Grid(idle_fps)
        self._next_active = 0
        self._next_idle = 0

    def due(self, pts_ns: int) -> Due:
        """Decide on the next frame.

        Args:
            pts_ns: Presentation time in ns since the first frame; frames come in order.

        Returns:
            What the frame is due for; nothing for a frame at or before one already answered for.
        """
        point = self._active.point(pts_ns)
        if point < self._next_active:
            return Due(active=False, idle=False)
        self._next_active = point + 1
        idle_point = self._idle.point(pts_ns)
        if idle_point < self._next_idle:
            return Due(active=True, idle=False)
        self._next_idle = idle_point + 1
        return Due(active=True, idle=True)

    def state(self) -> dict[str, int]:
        """The next grid point of each rate, to go on from in another process."""
        return {"active": self._next_active, "idle": self._next_idle}

    def restore(self, state: Mapping[str, int]) -> None:
        """Go on from ``state()`` of a sampler with the same rates."""
        self._next_active, self._next_idle = state["active"], state["idle"]
