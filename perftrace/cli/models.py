"""Language models for `perftrace optimize`: options, what is sent, what it cost."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from perftrace.cli import number, remembering
from perftrace.config import Settings
from perftrace.errors import UsageError
from perftrace.model import Function, HotFunction, Run
from perftrace.optimizer import decisions, patch
from perftrace.optimizer.engines import Engine, Pool
from perftrace.optimizer.engines.rules import RulesEngine, within
from perftrace.optimizer.engines.rules.rule import Tier
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.models import anthropic, openai, others
from perftrace.optimizer.models.asking import Answer, Provider, Question
from perftrace.optimizer.models.batches import NAME as BATCHES
from perftrace.optimizer.models.batches import Batches, Sent
from perftrace.optimizer.models.context import Background, Pack, Send, examples, pack
from perftrace.optimizer.models.engine import Effort, ModelEngine
from perftrace.optimizer.models.ledger import Ledger, Limits, price_of
from perftrace.optimizer.models.manual import Manual, as_text
from perftrace.optimizer.models.pairs import nearest, pairs_of
from perftrace.optimizer.models.prompts import Prompts
from perftrace.optimizer.models.recording import NAME, Recording, last_model
from perftrace.store import Store

RULES = "rules"
ENGINES = (RULES, "anthropic", "openai", "manual")
EFFORTS = {
    "low": Effort(candidates=2, repairs=1, faster=1),
    "medium": Effort(),
    "high": Effort(candidates=8, repairs=4, faster=4),
}
MANUAL = "questions"  # a folder beside the trace file
TOLD = {
    Send.NONE: "no recorded values",
    Send.SHAPES: "types, sizes and rates of its arguments, no values",
    Send.SAMPLES: "types and sizes of its arguments, and a few recorded calls with their values",
}


class EngineName(click.Choice[str]):
    """One of these, or one that another package brings."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it is."""
        if value not in self.choices and value in (found := others.names()):
            return str(value)
        if value not in self.choices and found:
            self.fail(f"{value!r} is not one of {', '.join((*self.choices, *found))}.", param, ctx)
        return super().convert(value, param, ctx)


def _by_effort(name: str) -> str:
    """The defaults of an option."""
    return f"[default: {', '.join(str(getattr(one, name)) for one in EFFORTS.values())} by effort]"


def options[F: Callable[..., Any]](function: F) -> F:
    """The options of engines that propose changes, by rules or by asking a language model."""
    return _given(
        function,
        click.option(
            "--engine",
            type=EngineName(ENGINES),
            default=RULES,
            show_default=True,
            help="Who proposes changes, beside the rules.",
        ),
        click.option(
            "--risk",
            type=click.Choice([one.value for one in Tier]),
            help="How far the rules go: T0 and T1 are sound as such or by what was recorded; T2"
            " changes are to be looked at.  [default: T2]",
        ),
        *_asking(),
        click.option(
            "--batch",
            is_flag=True,
            help="Send what is asked at the end, at half the price; answers are for a later run.",
        ),
        click.option(
            "--send-values",
            type=click.Choice([one.value for one in Send]),
            help="What of the recorded values a model is told.  [default: shapes]",
        ),
        click.option(
            "--effort",
            type=click.Choice(list(EFFORTS)),
            default="medium",
            show_default=True,
            help="How much a model is asked about a function.",
        ),
        click.option(
            "--candidates",
            type=click.IntRange(1, 8),
            help=f"First proposals of a model for a function.  {_by_effort('candidates')}",
        ),
        click.option(
            "--rounds",
            type=click.IntRange(0, 5),
            help=f"How often a wrong proposal goes back.  {_by_effort('repairs')}",
        ),
    )


def asking_options[F: Callable[..., Any]](function: F) -> F:
    """The options of a command that can't do without a language model."""
    engine = click.option(
        "--engine", type=EngineName(ENGINES[1:]), required=True, help="Who is asked."
    )
    return _given(function, engine, *_asking())


type _Option = Callable[[Any], Any]


def _asking() -> tuple[_Option, ...]:
    """Which model is asked, and how much."""
    return (
        click.option("--model", help="Of the engine; anthropic has a default."),
        click.option("--base-url", help="Of the server with the model, such as your own."),
        click.option("--max-cost", type=number.Real(0), help="US dollars, for all."),
        click.option("--max-tokens", type=number.count(0), help="For all, in and out."),
        click.option("--from-recording", is_flag=True, help="Answers of earlier runs; ask nobody."),
        click.option("--show-prompt", is_flag=True, help="Print the first questions; no more."),
    )


def _given[F: Callable[..., Any]](function: F, *options: _Option) -> F:
    for option in reversed(options):
        function = option(function)
    return function


@dataclass(slots=True)
class Models:
    """The engine of a run, and what it asks."""

    engine: Engine
    asking: ModelEngine | None = None
    provider: Recording | Manual | None = None
    ledger: Ledger | None = None
    send: Send = Send.SHAPES
    batches: Batches | None = None

    def fetch(self) -> None:
        """Take the answers of batches that have come."""
        if self.batches is None or self.ledger is None or not isinstance(self.provider, Recording):
            return
        for batch in self.batches.fetch():
            for question, reply in batch.replies:
                self.ledger.came(reply)
                if isinstance(reply, Answer):
                    self.provider.keep(question, reply)

    def finish(self) -> None:
        """Send what was asked, where it goes as a batch."""
        if self.batches is not None:
            self.batches.send()

    def notice(self) -> str:
        """What leaves the machine, before it does; empty: nothing."""
        if self.ledger is None:
            return ""
        return (
            f"Sent to {self.ledger.name} ({self.ledger.model}): the source of each function, of the"
            " helpers it calls and of accepted changes like it, how often it is called,"
            f" {TOLD[self.send]}."
        )

    def summary(self) -> Iterator[str]:
        """What was asked, what it cost, and what went wrong."""
        if self.provider is not None:
            yield from asked(self.provider, self.ledger)
        if self.batches is not None:
            yield from self.batches.told
        problems = self.asking.problems if self.asking else []
        yield from dict.fromkeys(f"No candidate: {reason}" for reason in problems)

    def document(self) -> dict[str, Any] | None:
        """The same for programs."""
        if self.asking is None:
            return None
        return {
            "engine": self.asking.name,
            **counted(self.provider, self.ledger),
            "batches": [_under_way(one) for one in self.batches.under_way] if self.batches else [],
            "problems": list(dict.fromkeys(self.asking.problems)),
        }


def _under_way(batch: Sent) -> dict[str, Any]:
    return {"id": batch.id, "questions": len(batch.questions)}


def asked(provider: Recording | Manual, ledger: Ledger | None) -> Iterator[str]:
    """What was asked, and what it cost."""
    if isinstance(provider, Manual) and provider.waiting:
        count = len(provider.waiting)
        yield (
            f"{count} question{'s' * (count != 1)} in {provider.folder} wait for an"
            " answer: write ID.answer.md beside ID.question.md and run this again."
        )
    if isinstance(provider, Recording):
        yield from _recorded(provider)
    if ledger is not None:
        yield from _spent(ledger)


def counted(provider: Recording | Manual | None, ledger: Ledger | None) -> dict[str, Any]:
    """The same for programs."""
    return {
        "model": ledger.model if ledger else "",
        "questions": ledger.asked if ledger else 0,
        "from_recording": provider.replayed if isinstance(provider, Recording) else 0,
        "tokens": {
            "input": ledger.usage.input if ledger else 0,
            "cache_read": ledger.usage.cache_read if ledger else 0,
            "cache_written": ledger.usage.cache_written if ledger else 0,
            "output": ledger.usage.output if ledger else 0,
        },
        "cost_usd": ledger.cost if ledger else None,
        "failed": {str(why): count for why, count in ledger.failed.items()} if ledger else {},
    }


def _recorded(recording: Recording) -> Iterator[str]:
    if recording.replayed:
        count = recording.replayed
        yield f"{count} answer{'s' * (count != 1)} from {recording.file}: asked before."


def _spent(ledger: Ledger) -> Iterator[str]:
    used = ledger.usage
    words = [
        f"{ledger.name} {ledger.model}: {ledger.asked} question{'s' * (ledger.asked != 1)}",
        f"{used.input + used.cache_read + used.cache_written:,} tokens in"
        f" ({used.cache_read:,} from its cache)",
        f"{used.output:,} out",
    ]
    if ledger.cost is not None:
        words.append(f"about ${ledger.cost:.2f}")
    yield ", ".join(words)
    if ledger.failed:
        listed = ", ".join(f"{count} {why}" for why, count in ledger.failed.most_common())
        yield f"Without an answer: {listed}"
    if ledger.over is not None:
        yield f"Nothing more was asked: {ledger.over.text}"


def prepare(
    store: Store,
    run: Run,
    ranked: Sequence[HotFunction],
    settings: Settings,
    wanted: Mapping[str, Any],
    database: Path,
) -> Models:
    """The engine that was asked for; the rules are always part of it.

    Raises:
        CannotError: its SDK is not installed, or there is no key.
        UsageError: options that do not go together.
    """
    name = wanted["engine"]
    rules = within(Tier(wanted["risk"] or settings.risk))
    own: list[Engine] = [RulesEngine(rules), *remembering.engines(settings, wanted)]
    if name == RULES:
        _refuse_without(wanted)
        return Models(Pool(own) if len(own) > 1 else own[0])
    send = Send(wanted["send_values"] or settings.send_values)
    ledger, provider, batches = provider_of(name, settings, wanted, database)
    packer = _packer(store, run, ranked, send)
    effort = _effort(wanted)
    prompts = Prompts(run.root / settings.prompts if settings.prompts else None)
    asking = ModelEngine(provider, packer, prompts, effort, send)
    return Models(Pool([*own, asking]), asking, provider, ledger, send, batches)


def _effort(wanted: Mapping[str, Any]) -> Effort:
    """How much is asked, single numbers first."""
    given = {"candidates": wanted["candidates"], "repairs": wanted["rounds"]}
    known = {name: number for name, number in given.items() if number is not None}
    return replace(EFFORTS[wanted["effort"]], **known)


ONLY_ASKING = (
    *("model", "base_url", "max_cost", "max_tokens"),
    *("from_recording", "show_prompt", "batch"),
)


def _refuse_without(wanted: Mapping[str, Any]) -> None:
    for option in ONLY_ASKING:
        if wanted[option]:
            raise UsageError(
                "engine-option",
                f"--{option.replace('_', '-')} is for language models: add --engine, such as"
                " --engine anthropic",
            )


def provider_of(
    name: str, settings: Settings, wanted: Mapping[str, Any], database: Path
) -> tuple[Ledger | None, Recording | Manual, Batches | None]:
    """Who is asked, with what counts, what remembers, and what sends questions together.

    Raises:
        CannotError: its SDK is not installed, or there is no key.
        UsageError: options that do not go together.
    """
    file = database.parent / NAME
    together = wanted.get("batch", False)
    if together and (name != anthropic.Anthropic.name or wanted["from_recording"]):
        raise UsageError(
            "engine-batch",
            "--batch is for --engine anthropic, and not for --from-recording: no other has it.",
        )
    if name == "manual":
        return None, Manual(database.parent / MANUAL), None
    model = wanted["model"] or settings.model
    if wanted["from_recording"]:
        known, last = last_model(file)
        if not last:
            raise UsageError("engine-recording", f"{file} holds no recorded answer.")
        return None, Recording(file, None, known, model or last), None
    provider = _client(name, model, wanted["base_url"] or settings.base_url or None)
    limits = Limits(wanted["max_tokens"], wanted["max_cost"])
    price = price_of(provider.model, settings.prices)
    batches = None
    if together and isinstance(provider, anthropic.Anthropic):
        batches = Batches(database.parent / BATCHES, provider)
    ledger = Ledger(batches or provider, limits, price)
    return ledger, Recording(file, ledger), batches


def _client(name: str, model: str, base_url: str | None) -> Provider:
    if name == "anthropic":
        return anthropic.Anthropic(model or anthropic.MODEL, base_url=base_url)
    if name != openai.OpenAI.name:
        return others.make(name, model, base_url or "")
    if not model:
        raise UsageError(
            "engine-model", "Say which model: --model NAME, or model = in [tool.perftrace]"
        )
    return openai.OpenAI(model, base_url=base_url)


def _packer(
    store: Store, run: Run, ranked: Sequence[HotFunction], send: Send
) -> Callable[[Function, str, Facts], Pack]:
    """What is told of a function: what the trace file has of it."""
    hot = {one.function: one for one in ranked}
    # Of earlier runs only: the same run is asked about in the same words, and answers are known.
    pairs = pairs_of(decisions.accepted_before(store, run))

    def packed(function: Function, source: str, facts: Facts) -> Pack:
        known = hot.get(function)
        calls = list(store.calls(function, run=run)) if send is Send.SAMPLES else []
        background = Background(
            share=known.hot.value if known else 0.0,
            callers=tuple(caller.qualname for caller, _ in known.via[:5]) if known else (),
            examples=examples(store, calls) if calls else (),
            accepted=tuple(nearest(pairs, function, _own_text(function, source))),
        )
        return pack(function, source, facts, background, send)

    return packed


def _own_text(function: Function, source: str) -> str:
    place = patch.place_of(source, function.qualname, function.line)
    return "".join(patch.lines_of(source)[place.first - 1 : place.last])


def prompt_text(question: Question) -> str:
    """A question as it is sent, and about how long it is."""
    return f"{as_text(question)}\n\n({question.size:,} tokens, about)"
