"""Objects that talk, as in Richards: an operating system's tasks; the argument is the packets."""

import sys
from collections import deque


class Packet:
    """What tasks send to each other."""

    def __init__(self, kind: str, ident: int) -> None:
        self.kind = kind
        self.ident = ident
        self.data = [0, 0, 0, 0]


class Task:
    """A task with a queue of packets."""

    def __init__(self, system: "System", name: str) -> None:
        self.system = system
        self.name = name
        self.queue: deque[Packet] = deque()
        self.handled = 0

    def ready(self) -> bool:
        """Whether there is something to do."""
        return bool(self.queue)

    def step(self) -> None:
        """Handle one packet."""
        packet = self.queue.popleft()
        self.handled += 1
        self.handle(packet)

    def handle(self, packet: Packet) -> None:
        """Do what this kind of task does."""
        raise NotImplementedError


class Worker(Task):
    """Fills packets and hands them to the devices in turn."""

    def handle(self, packet: Packet) -> None:
        """Count the letters up and pass the packet on."""
        for place in range(4):
            packet.data[place] = (packet.ident + place) % 26
        self.system.send("device A" if packet.ident % 2 else "device B", packet)


class Device(Task):
    """Sends each packet back, so long as it is wanted."""

    def handle(self, packet: Packet) -> None:
        """Return the packet under the next number."""
        packet.ident += 2
        if packet.ident < self.system.limit:
            self.system.send("worker", packet)


class System:
    """Runs the tasks in turn."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.tasks: dict[str, Task] = {"worker": Worker(self, "worker")}
        for name in ("device A", "device B"):
            self.tasks[name] = Device(self, name)

    def send(self, name: str, packet: Packet) -> None:
        """Put a packet in a task's queue."""
        self.tasks[name].queue.append(packet)

    def run(self) -> int:
        """Work until no task is ready; how many packets were handled."""
        self.send("worker", Packet("work", 0))
        self.send("worker", Packet("work", 1))
        busy = True
        while busy:
            busy = False
            for task in self.tasks.values():
                if task.ready():
                    task.step()
                    busy = True
        return sum(task.handled for task in self.tasks.values())


if __name__ == "__main__":
    print(System(int(sys.argv[1])).run())
