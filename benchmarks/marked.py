"""Tables in pages of the documentation, each between marks that name the command behind it."""

from pathlib import Path


def put(page: Path, command: str, text: str, end: str = "end") -> None:
    """Replace what stands between `<!-- command -->` and `<!-- end -->`; a new table goes last."""
    mark, end = f"<!-- {command} -->", f"<!-- {end} -->"
    before, found, rest = page.read_text().partition(mark)
    if not found:
        page.write_text(f"{before.rstrip()}\n\n{mark}\n{text}\n{end}\n")
        return
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{page}: no {end} after {mark}")
    page.write_text(f"{before}{mark}\n{text}\n{end}{after}")
