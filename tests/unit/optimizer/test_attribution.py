"""Each sample is charged once, to the function a change to which could save it."""

from perftrace.optimizer.attribution import Frame, attribute


def user(qualname: str, line: int = 1, file: str = "/shop/app.py") -> Frame:
    return Frame(file, qualname, line, user=True)


def library(qualname: str) -> Frame:
    return Frame("/lib/json.py", qualname, 1, user=False)


MAIN = user("<module>")
F, G = user("f", 10), user("g", 20)


def test_time_in_libraries_is_hot_but_not_own_time() -> None:
    tally = attribute([((MAIN, F), 3), ((MAIN, F, library("dumps"), library("encode")), 5)])
    assert tally.hot == {F: 8}
    assert tally.own == {F: 3}


def test_the_nearest_user_function_is_charged_also_through_a_library() -> None:
    tally = attribute([((MAIN, F, library("sort"), G, library("lower")), 4)])
    assert tally.hot == {G: 4}
    assert tally.callers[G] == {F: 4}


def test_shares_of_user_functions_add_up_to_all_samples() -> None:
    tally = attribute([((MAIN, F), 3), ((MAIN, F, G), 4), ((MAIN,), 2), ((library("start"),), 6)])
    assert tally.hot.total() == tally.total == 9
    assert tally.outside == 6


def test_recursion_counts_once() -> None:
    tally = attribute([((MAIN, F, F, F), 2), ((MAIN, F, G, F, G), 3)])
    assert tally.inclusive == {MAIN: 5, F: 5, G: 3}
    assert tally.hot == {F: 2, G: 3}
    assert tally.callers[F] == {MAIN: 2, G: 3}
    assert tally.callers[G] == {F: 3}


def test_anonymous_code_is_charged_to_the_function_that_holds_it() -> None:
    inner = user("f.<locals>.<genexpr>", 11)
    innermost = user("f.<locals>.<listcomp>.<locals>.<lambda>", 12)
    tally = attribute([((MAIN, F, inner), 3), ((MAIN, F, G, inner, innermost), 2)])
    assert tally.hot == {F: 5}
    assert tally.own == {F: 5}
    assert tally.callers[F] == {MAIN: 3, G: 2}


def test_anonymous_code_whose_function_has_returned_is_charged_to_its_caller() -> None:
    stray = user("made_by.<locals>.<lambda>", 31)
    at_module_level = user("<lambda>", 5)
    tally = attribute([((MAIN, G, stray), 1), ((MAIN, F, library("sort"), at_module_level), 2)])
    assert tally.hot == {G: 1, F: 2}


def test_a_lambda_with_no_function_below_stands_for_itself() -> None:
    target = user("<lambda>", 5)
    assert attribute([((library("run"), target), 2)]).hot == {target: 2}


def test_a_named_inner_function_is_a_row_of_its_own() -> None:
    inner = user("f.<locals>.inner", 11)
    tally = attribute([((MAIN, F, inner), 3)])
    assert tally.hot == {inner: 3}
    assert tally.callers[inner] == {F: 3}
