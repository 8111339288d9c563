"""Bodies that attract each other: float arithmetic in two long loops, and hardly a call."""

import itertools
import sys

type Body = tuple[list[float], list[float], float]


def bodies() -> list[Body]:
    return [
        (
            [0.1 * i, 1.3 * i - 2, 0.7 - i * 0.4],
            [0.01 * i, 0.02, -0.01 * i],
            1.0 / (1 + i),
        )
        for i in range(5)
    ]


def advance(system: list[Body], pairs: list[tuple[Body, Body]], step: float, steps: int) -> None:
    for _ in range(steps):
        for (place, speed, mass), (other_place, other_speed, other_mass) in pairs:
            dx = place[0] - other_place[0]
            dy = place[1] - other_place[1]
            dz = place[2] - other_place[2]
            pull = step * (dx * dx + dy * dy + dz * dz + 0.01) ** -1.5
            one, two = pull * mass, pull * other_mass
            speed[0] -= dx * two
            speed[1] -= dy * two
            speed[2] -= dz * two
            other_speed[0] += dx * one
            other_speed[1] += dy * one
            other_speed[2] += dz * one
        for place, speed, _ in system:
            place[0] += step * speed[0]
            place[1] += step * speed[1]
            place[2] += step * speed[2]


def energy(system: list[Body]) -> float:
    moving = sum(0.5 * mass * sum(part * part for part in speed) for _, speed, mass in system)
    for (place, _, mass), (other, _, other_mass) in itertools.combinations(system, 2):
        apart = sum((a - b) ** 2 for a, b in zip(place, other, strict=True)) ** 0.5
        moving -= mass * other_mass / (apart + 0.1)
    return moving


def main(steps: int) -> None:
    system = bodies()
    pairs = list(itertools.combinations(system, 2))
    for _ in range(steps // 500):
        advance(system, pairs, 0.001, 500)
    print(round(energy(system), 9))


if __name__ == "__main__":
    main(int(sys.argv[1]))
