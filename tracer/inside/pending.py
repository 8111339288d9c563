"""The calls that began and whose end is awaited, by the frame that runs them."""

import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from .function import Watched

# Programs patch `id`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))


GIVE_UP = 64  # events of other calls after which a pending call's end is not awaited any more
GIVE_UP_SUSPENDED = 256  # the same for generators and coroutines: many are alive at a time


class Pending:
    """A call that began and whose end is awaited."""

    __slots__ = (
        "back", "back_at", "call", "clock_ns", "effects", "frame_id", "function", "gaps",
        "inside_ns", "items", "marks", "near", "room", "thread", "whole",
    )  # fmt: skip

    def __init__(self, function: "Watched", frame: "FrameType", call: int, thread: int) -> None:
        back = frame.f_back
        self.function = function
        self.frame_id = id(frame)
        self.call = call
        self.thread = thread
        self.back = id(back)
        self.back_at = back.f_lasti if back is not None else 0
        self.marks: list[tuple[int, int] | None] = []
        self.whole = True  # the arguments were recorded
        self.items: list[bytes] = []
        self.effects: dict[str, int] = {}  # kind -> how many were noted
        self.room = function.cap
        self.near = 0  # instances that are kept of its values; 0: all
        self.gaps = False  # some are not
        self.clock_ns = 0  # when its body began
        self.inside_ns = 0  # what the recorder had used of the thread's time by then


class PendingCalls:
    """A frame's id may be taken over by another frame once the call has ended unseen.

    While exceptions are watched every end is seen, but for that of a dropped generator on some
    versions. So a frame is believed only if it is called from where the pending call was.
    """

    def __init__(self) -> None:
        self._by_frame: dict[int, Pending] = {}

    def add(self, pending: Pending) -> None:
        """Await the end of a call."""
        self._by_frame[pending.frame_id] = pending
        pending.function.pending += 1

    def drop(self, pending: Pending) -> None:
        """Await it no more."""
        if self._by_frame.get(pending.frame_id) is pending:
            del self._by_frame[pending.frame_id]
            pending.function.pending -= 1

    def at(self, frame: "FrameType") -> Pending | None:
        """The call awaited in a frame of this id, ended or not."""
        return self._by_frame.get(id(frame))

    def of_frame(self, function: "Watched", frame: "FrameType") -> Pending | None:
        """The call that this frame runs, if its end is awaited."""
        pending = self._by_frame.get(id(frame))
        if pending is None or pending.function is not function:
            return None
        if function.kind != "function":  # generators go on from anywhere
            return pending
        back = frame.f_back
        same = pending.back == id(back) and (back is None or back.f_lasti == pending.back_at)
        return pending if same else None

    def ended_by(self, function: "Watched", frame: "FrameType") -> list[Pending]:
        """The function's calls that must have ended, unseen, because this frame starts.

        They ran in a frame of the same id, or were called from the frame that now calls again.
        """
        back = id(frame.f_back)
        plain = function.kind == "function"
        return [
            pending
            for pending in self.of(function)
            if pending.frame_id == id(frame) or (plain and pending.back == back)
        ]

    def of(self, function: "Watched") -> list[Pending]:
        """All of a function's."""
        return [pending for pending in self.all() if pending.function is function]

    def all(self) -> list[Pending]:
        """All of them."""
        return list(self._by_frame.values())


def hopeless(function: "Watched") -> bool:
    """Whether so many events of other calls came that the ends are awaited no more."""
    return function.missed >= (GIVE_UP if function.kind == "function" else GIVE_UP_SUSPENDED)
