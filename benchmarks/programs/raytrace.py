"""Arithmetic in small objects: spheres seen through a window; the argument is the width."""

import math
import sys


class Vector:
    """Three numbers."""

    __slots__ = ("x", "y", "z")

    def __init__(self, x: float, y: float, z: float) -> None:
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other: "Vector") -> "Vector":
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other: "Vector") -> "Vector":
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def scale(self, factor: float) -> "Vector":
        """This vector, so many times."""
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other: "Vector") -> float:
        """The scalar product."""
        return self.x * other.x + self.y * other.y + self.z * other.z

    def unit(self) -> "Vector":
        """The same direction, of length one."""
        return self.scale(1.0 / math.sqrt(self.dot(self)))


class Sphere:
    """A ball that reflects."""

    def __init__(self, centre: Vector, radius: float, shade: float) -> None:
        self.centre = centre
        self.radius = radius
        self.shade = shade

    def hit(self, start: Vector, direction: Vector) -> float | None:
        """The distance at which a ray meets it."""
        to_centre = self.centre - start
        along = to_centre.dot(direction)
        rest = self.radius**2 - (to_centre.dot(to_centre) - along * along)
        if rest < 0:
            return None
        distance = along - math.sqrt(rest)
        return distance if distance > 1e-6 else None


class Scene:
    """Spheres and a light."""

    def __init__(self, spheres: list[Sphere], light: Vector) -> None:
        self.spheres = spheres
        self.light = light

    def colour(self, start: Vector, direction: Vector, depth: int) -> float:
        """The brightness seen in a direction."""
        nearest, sphere = math.inf, None
        for candidate in self.spheres:
            distance = candidate.hit(start, direction)
            if distance is not None and distance < nearest:
                nearest, sphere = distance, candidate
        if sphere is None:
            return max(0.0, direction.y) * 0.3
        point = start + direction.scale(nearest)
        normal = (point - sphere.centre).unit()
        bright = max(0.0, normal.dot((self.light - point).unit())) * sphere.shade
        if depth:
            mirrored = direction - normal.scale(2 * normal.dot(direction))
            bright += 0.3 * self.colour(point, mirrored.unit(), depth - 1)
        return bright


def picture(width: int) -> float:
    """The sum of all brightness in a square picture."""
    spheres = [
        Sphere(Vector(n - 2.0, math.sin(n) * 0.7, 6.0 + n % 3), 0.8, 0.5 + n / 10) for n in range(5)
    ]
    scene = Scene(spheres, Vector(5, 8, -4))
    eye = Vector(0, 0, -3)
    total = 0.0
    for row in range(width):
        for column in range(width):
            direction = Vector(column / width - 0.5, 0.5 - row / width, 1.0).unit()
            total += scene.colour(eye, direction, 2)
    return total


if __name__ == "__main__":
    print(f"{picture(int(sys.argv[1])):.9f}")
