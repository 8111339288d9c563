"""An event loop: producers and consumers on asyncio queues; the argument is the messages."""

import asyncio
import sys


async def produce(queue: asyncio.Queue[int], count: int) -> None:
    """Put numbers into the queue, then one that ends it."""
    for number in range(count):
        await queue.put(number)
        if number % 16 == 0:
            await asyncio.sleep(0)
    await queue.put(-1)


async def transform(number: int) -> int:
    """One step of work that another coroutine waits for."""
    return number * number % 97


async def consume(queue: asyncio.Queue[int]) -> int:
    """The sum of what the numbers become."""
    total = 0
    while (number := await queue.get()) >= 0:
        total += await transform(number)
    return total


async def main(count: int) -> int:
    """Four pairs at once."""
    queues = [asyncio.Queue[int](32) for _ in range(4)]
    producers = [asyncio.create_task(produce(queue, count)) for queue in queues]
    totals = await asyncio.gather(*(consume(queue) for queue in queues))
    await asyncio.gather(*producers)
    return sum(totals)


if __name__ == "__main__":
    print(asyncio.run(main(int(sys.argv[1]))))
