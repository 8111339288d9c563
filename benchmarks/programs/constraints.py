"""Small methods on a graph, as in DeltaBlue: one-way constraints; the argument is the rounds."""

import sys
from itertools import pairwise


class Variable:
    """A value and the constraints that follow from it."""

    def __init__(self, name: str, value: int = 0) -> None:
        self.name = name
        self.value = value
        self.followers: list[Constraint] = []


class Constraint:
    """Keeps one variable equal to a function of another."""

    def __init__(self, source: Variable, target: Variable) -> None:
        self.source = source
        self.target = target
        source.followers.append(self)

    def satisfied(self) -> bool:
        """Whether it holds."""
        return self.target.value == self.expected()

    def expected(self) -> int:
        """The value the target should have."""
        return self.source.value

    def execute(self) -> None:
        """Make it hold."""
        self.target.value = self.expected()


class Scale(Constraint):
    """target = source * factor + offset, kept small."""

    def __init__(self, source: Variable, target: Variable, factor: int, offset: int) -> None:
        super().__init__(source, target)
        self.factor = factor
        self.offset = offset

    def expected(self) -> int:
        """The scaled value."""
        return (self.source.value * self.factor + self.offset) % 1009


class Planner:
    """Lets a change run through the graph."""

    def change(self, variable: Variable, value: int) -> int:
        """Set a variable; how many constraints had to act."""
        variable.value = value
        acted = 0
        pending = list(variable.followers)
        while pending:
            constraint = pending.pop()
            if not constraint.satisfied():
                constraint.execute()
                acted += 1
                pending.extend(constraint.target.followers)
        return acted


def chain(length: int) -> tuple[Variable, Variable]:
    """A chain of variables; its ends."""
    variables = [Variable(f"v{number}") for number in range(length)]
    for number, (one, other) in enumerate(pairwise(variables)):
        _ = Scale(one, other, 3, number) if number % 3 == 0 else Constraint(one, other)
    return variables[0], variables[-1]


if __name__ == "__main__":
    first, last = chain(400)
    planner = Planner()
    total = sum(planner.change(first, number) + last.value for number in range(int(sys.argv[1])))
    print(total)
