"""Names for variables and keywords in source text, from whatever a value calls its parts."""

import keyword
import unicodedata


def identifier(wish: str) -> str:
    """A name as near to the wish as can be.

    Python takes names that only look alike for the same (PEP 3131, NFKC), and so does this.
    """
    text = unicodedata.normalize("NFKC", wish)
    kept = "".join(char if f"_{char}".isidentifier() else "_" for char in text)
    name = kept.strip("_") or "value"
    return name if name.isidentifier() else f"_{name}"


def is_keyword_argument(name: str) -> bool:
    """Whether `f(name=…)` hands over exactly this name."""
    plain = name.isidentifier() and not keyword.iskeyword(name)
    return plain and unicodedata.is_normalized("NFKC", name)
