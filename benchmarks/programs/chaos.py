"""The chaos game along splines: small vectors, closures over tables, and many short methods."""

import math
import random
import sys


class Vector:
    """A point or direction in the plane."""

    def __init__(self, x: float, y: float) -> None:
        self.x = x
        self.y = y

    def __sub__(self, other: "Vector") -> "Vector":
        return Vector(self.x - other.x, self.y - other.y)

    def mix(self, other: "Vector", share: float) -> "Vector":
        return Vector(
            self.x * (1 - share) + other.x * share, self.y * (1 - share) + other.y * share
        )

    def length(self) -> float:
        return math.hypot(self.x, self.y)


class Spline:
    """A uniform B-spline of some degree through control points."""

    def __init__(self, points: list[Vector], degree: int = 3) -> None:
        self.points = points
        self.degree = degree

    def span(self) -> float:
        return float(len(self.points) - self.degree)

    def at(self, place: float) -> Vector:
        first = min(int(place), len(self.points) - self.degree - 1)
        rest = [*self.points[first : first + self.degree + 1]]
        share = place - first
        for level in range(self.degree):
            rest = [
                rest[index].mix(rest[index + 1], (share + level) / (self.degree))
                for index in range(len(rest) - 1)
            ]
        return rest[0]


class Game:
    """Points that jump to a random spline's transform of where they are."""

    def __init__(self, splines: list[Spline], size: int) -> None:
        self.splines = splines
        self.size = size
        self.hits = [[0] * size for _ in range(size)]
        self.random = random.Random(7)

    def transform(self, point: Vector) -> Vector:
        spline = self.random.choice(self.splines)
        on_curve = spline.at(abs(point.x) % 1.0 * spline.span())
        ahead = spline.at(min(abs(point.x) % 1.0 + 0.01, 1.0) * spline.span() * 0.999)
        normal = ahead - on_curve
        scale = point.y / (normal.length() or 1.0) * 0.1
        return Vector(on_curve.x - normal.y * scale, on_curve.y + normal.x * scale)

    def mark(self, point: Vector) -> None:
        row = int(abs(point.y) * self.size) % self.size
        column = int(abs(point.x) * self.size) % self.size
        self.hits[row][column] += 1

    def play(self, rounds: int) -> int:
        point = Vector(0.5, 0.5)
        for _ in range(rounds):
            point = self.transform(point)
            self.mark(point)
        return sum(count * (i + 1) for row in self.hits for i, count in enumerate(row))


def main(rounds: int) -> None:
    chance = random.Random(3)
    splines = [
        Spline([Vector(chance.random(), chance.random()) for _ in range(6)]) for _ in range(4)
    ]
    print(Game(splines, 64).play(rounds))


if __name__ == "__main__":
    main(int(sys.argv[1]))
