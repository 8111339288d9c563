"""PerfCodeGen's loop on HumanEval and MBPP, with answers that were recorded or are scripted.

    python benchmarks/perfcodegen.py --data FOLDER                  # all models, 20 tasks each
    python benchmarks/perfcodegen.py --data FOLDER --tasks 1000 --model codellama

`scripted` answers with a program that gives nothing, reflects, then gives the data set's own
solution, and in the end an expert's (ENAMEL) where there is one: the loop from end to end. The
others answer with what real models said (LLMDebugger): a first program, then its later versions one
after another, whatever a program is asked for; then there is no answer, and what was right stays.
"""

import argparse
import gzip
import json
import os
import platform
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from perftrace.optimizer.generation import generator, methods, task
from perftrace.optimizer.generation.generator import Generator, Plan, Sample
from perftrace.optimizer.generation.metrics import OUTLIER, Timed, scores
from perftrace.optimizer.generation.race import race
from perftrace.optimizer.generation.task import Task
from perftrace.optimizer.generation.trial import Right, Trials
from perftrace.optimizer.models.asking import Answer, NoAnswer, Question, Reply, Why
from perftrace.optimizer.models.prompts import Prompts

SCRIPTED = "scripted"
KINDS = ("humaneval", "mbpp")


@dataclass
class Recorded:
    """A provider with a list of programs for one task: each question for code gets the next."""

    model: str
    programs: list[str]
    name: str = "recorded"
    asked: int = 0
    code: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self.code = iter(self.programs)

    def ask(self, question: Question) -> Reply:
        self.asked += 1
        if "without code" in question.turns[-1].text:
            return Answer("It does not do what the tests expect.")
        program = next(self.code, None)
        if program is None:
            return NoAnswer(Why.MISSING, "no more was recorded")
        return Answer(f"```python\n{program}\n```")


def rows(file: Path) -> list[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def recorded(data: Path) -> Mapping[str, Mapping[str, list[str]]]:
    """Programs by model and task: the first one, then each repair."""
    found: dict[str, dict[str, list[str]]] = {}
    everything = rows(data / "ldb_llm_samples.jsonl.gz")
    for row in sorted(everything, key=lambda row: row["stage"] != "seed"):
        name = str(row["task_id"]).replace("Mbpp", "MBPP")
        if "/" not in name:
            name = f"MBPP/{name}"
        programs = found.setdefault(row["model"], {}).setdefault(name, [])
        for text in (*(row.get("implementations") or ()), row["solution"]):
            if text and text not in programs:
                programs.append(text)
    return found


def scripted(data: Path, tasks: list[Task]) -> Mapping[str, list[str]]:
    """A wrong program, a right one twice, then an expert's."""
    expert = {row["task_id"]: row for row in rows(data / "enamel.jsonl.gz")}
    found = {}
    for one in tasks:
        best = one.solution
        if one.name in expert:
            best = one.prefix + str(expert[one.name]["reference_solution"])
        wrong = f"def {one.entry}(*args):\n    return None\n"
        found[one.name] = [wrong, one.solution, f"{one.solution}\n\nAGAIN = 1\n", best]
    return found


def final(sample: Sample) -> Right | None:
    """What the paper takes: the last right program, which may be the one before refinement."""
    return sample.right[-1] if sample.right else None


def timed(one: Task, programs: list[str], method: str) -> tuple[Timed | None, int, bool]:
    """Times of a task's known solution and samples; questions asked; whether refinement held."""
    prompts = Prompts(None, generator.FOLDER, generator.NAMES), Prompts()
    plan = Plan(samples=1, rounds=10, performance=method)
    with Trials(one) as trials:
        known = trials.try_(one.solution)
        if not isinstance(known, Right):
            return None, 0, False
        provider = Recorded("recorded", programs)
        result = Generator(provider, prompts, plan).run(one, trials)
        finals = [final(sample) for sample in result.samples]
        right = [program for program in finals if program is not None]
        times = race(trials, [known, *right], random.Random(1))
        if times[0] is None:
            return None, provider.asked, False
        taken = iter(times[1:])
        took = [next(taken) if program is not None else None for program in finals]
        seconds = tuple(None if time is None else time.seconds for time in took)
        refined = any(len(sample.right) > 1 for sample in result.samples)
        return Timed(times[0].seconds, seconds), provider.asked, refined


def table(data: Path, models: list[str], count: int, method: str) -> Iterator[str]:
    yield "| model | tasks | questions | %Correct | %Opt | speed-up | with outliers | refined |"
    yield "| --- | --: | --: | --: | --: | --: | --: | --: |"
    known = recorded(data)
    for kind in KINDS:
        tasks = list(task.all_of(data, kind))
        for model in models or [SCRIPTED, *known]:
            answers = scripted(data, tasks) if model == SCRIPTED else known[model]
            mine = list(islice((one for one in tasks if one.name in answers), count))
            if mine:
                yield line(kind, model, mine, answers, method)


def line(
    kind: str, model: str, tasks: list[Task], answers: Mapping[str, list[str]], method: str
) -> str:
    found, asked, refined = [], 0, 0
    for one in tasks:
        result, questions, held = timed(one, answers[one.name], method)
        asked += questions
        refined += held
        if result is not None:
            found.append(result)
    paper, plain = scores(found, 1, OUTLIER), scores(found, 1, None)
    return (
        f"| {model}, {kind} | {len(found)} | {asked} | {100 * paper.correct:.0f}%"
        f" | {100 * paper.optimized:.0f}% | {paper.speedup:.2f}x | {plain.speedup:.2f}x"
        f" | {refined} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--tasks", type=int, default=20, help="of each data set")
    parser.add_argument("--method", choices=list(methods.PERFORMANCE), default="slowest")
    given = parser.parse_args()
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    print(f"{machine}, {date.today()}, {given.method}, {given.tasks} tasks of each at most:\n")
    for row in table(given.data, given.model, given.tasks, given.method):
        print(row, flush=True)


if __name__ == "__main__":
    main()
