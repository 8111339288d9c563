"""The recorder's own copy of `os`: programs patch theirs, and neither side should notice."""

import os as _os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os as os  # noqa: PLC0414 - an export
else:
    os = type(_os)("os")
    vars(os).update(vars(_os))
