"""Write docs/rules.md from the docstrings of the rules: python scripts/rules_doc.py."""

import inspect
from pathlib import Path

from perftrace.optimizer.engines.rules.rule import Rule
from perftrace.optimizer.engines.rules.table import RULES

PAGE = Path(__file__).parent.parent / "docs" / "rules.md"
HEAD = """\
# The rules of the embedded engine

Made from the docstrings in `optimizer/engines/rules/` by `scripts/rules_doc.py`.

A rule only proposes. What it proposes is checked statically, replayed on the recorded calls and
measured before anything is accepted. The tier says how far a rewrite is sound before that:

* **T0**: by syntax and local analysis;
* **T1**: given what the recorded calls show, such as the exact types of the arguments;
* **T2**: plausible, needs a look; `perftrace optimize --risk T1` leaves these out.

Three assumptions hold for all rules: operators and special methods of the user's classes change
nothing but their own object; nobody reads a function's local variables from outside (`locals()`,
`eval` and the like in a function switch all rules off for it); names of the module are not set
from other modules.

| rule | tier | what it does | recorded facts it needs |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(map(_row, RULES)) + "".join(map(_section, RULES))


def _row(rule: Rule) -> str:
    needs = ", ".join(rule.needs) or "-"
    return f"| [{rule.name}](#{rule.name}) | {rule.tier} | {_title(rule)} | {needs} |\n"


def _title(rule: Rule) -> str:
    return _text(rule).partition("\n")[0]


def _text(rule: Rule) -> str:
    return inspect.cleandoc(type(rule).__doc__ or "")


def _section(rule: Rule) -> str:
    return f"\n## {rule.name}\n\n{_text(rule)}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
