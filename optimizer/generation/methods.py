"""What is asked in which order: PerfCodeGen's rounds, and those that its paper compares it with.

Peng et al. 2024: "PerfCodeGen: Improving Performance of LLM Generated Code with Execution
Feedback". The words of the questions are our own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Who is asked: each has a conversation of its own."""

    CODER = "coder"
    REVIEWER = "reviewer"
    LEADER = "leader"


@dataclass(frozen=True, slots=True)
class Step:
    """One question."""

    prompt: str  # its file in `optimizer/prompts/generate`
    role: Role = Role.CODER
    says: str = ""  # what its words are called in later questions; empty: the answer is a program


# How a wrong program goes back.
CORRECTNESS: Mapping[str, tuple[Step, ...]] = {
    "reflection": (Step("reflect", says="reason"), Step("mend")),
    "feedback": (Step("failed"),),
}
# How a right program is made faster.
PERFORMANCE: Mapping[str, tuple[Step, ...]] = {
    "slowest": (Step("faster"), Step("slowest")),
    "simple": (Step("faster"),),
    "examples": (Step("examples"),),
    "strategies": (Step("strategies"),),
    "thought": (Step("plan", says="plan"), Step("apply")),
    "complexity": (Step("complexity", says="complexity"), Step("reduce")),
    "timing": (Step("faster"), Step("timing")),
    "reviewer": (Step("faster"), Step("review", Role.REVIEWER, says="review"), Step("revise")),
    "team": (
        Step("lead", Role.LEADER, says="plan"),
        Step("carry-out"),
        Step("review-plan", Role.REVIEWER, says="review"),
        Step("decide", Role.LEADER, says="decision"),
        Step("finish"),
    ),
    "none": (),
}
SUMMARIES: Mapping[str, str] = {
    "slowest": "refine, then again with the test that takes longest (PerfCodeGen)",
    "simple": "refine",
    "examples": "refine, shown three pairs of slow and fast code",
    "strategies": "refine, given a list of things to look for",
    "thought": "a plan in words, then the code",
    "complexity": "its complexity in words, then a lower one",
    "timing": "refine, then told whether that was faster",
    "reviewer": "refine, have it reviewed, revise",
    "team": "a leader plans, a coder writes, a reviewer comments, the leader decides",
    "none": "right programs stay as they are",
}


def prompts() -> frozenset[str]:
    """All files that the steps need."""
    every = [*CORRECTNESS.values(), *PERFORMANCE.values()]
    return frozenset(step.prompt for steps in every for step in steps)
