"""Tests of the rule deque-queue."""

from typing import Any

from perftrace.optimizer.engines.rules.deque_queue import DequeQueue

RULE = DequeQueue()


def test_it_takes_from_a_deque(case: Any) -> None:
    case(RULE, [({1: [2, 3], 2: [], 3: []},)]).becomes(
        """
        def f(graph):
            queue = [1]
            out = []
            while queue:
                node = queue.pop(0)
                out.append(node)
                queue.extend(graph[node])
            return out
        """,
        """
        from collections import deque

        def f(graph):
            queue = deque([1])
            out = []
            while queue:
                node = queue.popleft()
                out.append(node)
                queue.extend(graph[node])
            return out
        """,
    )


def test_it_leaves_a_queue_that_is_returned(case: Any) -> None:
    case(RULE, [(3,)]).stays("""
        def f(n):
            queue = [n]
            while queue and n:
                n = queue.pop(0) - 1
                queue.append(n)
            return queue
    """)


def test_it_leaves_a_parameter(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(queue):
            total = 0
            while queue:
                total += queue.pop(0)
            return total
    """)


def test_it_leaves_a_queue_that_is_sliced(case: Any) -> None:
    case(RULE, [(3,)]).stays("""
        def f(n):
            queue = [n]
            while queue:
                n = queue.pop(0)
                if queue[1:]:
                    return 1
            return n
    """)


def test_it_leaves_a_pop_that_may_find_nothing(case: Any) -> None:
    case(RULE, [(3,)]).stays("""
        def f(n):
            queue = [n]
            queue.pop(0)
            return queue.pop(0) if n < 0 else n
    """)
