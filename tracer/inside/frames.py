"""The frames that run now, by thread: they are only looked at where that is safe."""

import builtins
import sys
from sys import _current_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

# Programs patch `any`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

MAKERS = ("_interpreters", "_xxsubinterpreters")  # modules that make further interpreters


def current_frames() -> "dict[int, FrameType]":
    """The innermost frame of each thread; none at all where there may be other interpreters.

    The interpreter would make frame objects for their threads too, while they run and with
    memory of ours, which they then free as their own: the program crashes.
    """
    modules = sys.modules
    return {} if any(name in modules for name in MAKERS) else _current_frames()
