"""What FUNC on the command line means."""

import pytest

from perftrace.errors import UsageError
from perftrace.locate import find, labels
from perftrace.model import Function, Kind


def function(number: int, file: str, qualname: str, module: str, line: int = 1) -> Function:
    return Function(number, file, qualname, line, module, Kind.FUNCTION, ())


QUOTE = function(1, "/work/shop/pricing.py", "quote", "shop.pricing")
ADD = function(2, "/work/shop/pricing.py", "Basket.add", "shop.pricing")
GETTER = function(3, "/work/shop/pricing.py", "Basket.total", "shop.pricing", 10)
SETTER = function(4, "/work/shop/pricing.py", "Basket.total", "shop.pricing", 14)
OTHER = function(5, "/work/tax.py", "quote", "tax")
MAIN = function(6, "/work/app.py", "main", "__main__")
ALL = (QUOTE, ADD, GETTER, SETTER, OTHER, MAIN)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("shop.pricing:quote", QUOTE),
        ("tax:quote", OTHER),
        ("/work/shop/pricing.py:quote", QUOTE),
        ("shop/pricing.py:Basket.add", ADD),
        ("pricing.py:quote", QUOTE),
        ("Basket.add", ADD),
        ("add", ADD),
        ("main", MAIN),
        ("__main__:main", MAIN),
        ("app:main", MAIN),
        ("Basket.total:14", SETTER),
        ("shop.pricing:Basket.total:10", GETTER),
    ],
)
def test_a_function_is_found_by_module_file_or_name(text: str, meant: Function) -> None:
    assert find(text, ALL) is meant


def test_a_path_from_the_current_folder_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    here = function(9, f"{tmp_path}/sub/app.py", "f", "app")
    monkeypatch.chdir(f"{tmp_path}")
    assert find("./sub/app.py:f", (here, *ALL)) is here


@pytest.mark.parametrize("text", ["quote", "total", "Basket.total"])
def test_several_meanings_are_listed(text: str) -> None:
    with pytest.raises(UsageError, match=r"means several functions: shop\.pricing:") as caught:
        find(text, ALL)
    assert caught.value.slug == "function-ambiguous"


def test_what_is_listed_is_found() -> None:
    names = labels(ALL)
    assert len(set(names.values())) == len(ALL)
    assert [find(names[one.id], ALL) for one in ALL] == list(ALL)


def test_two_scripts_of_one_trace_are_told_apart_by_file() -> None:
    both = (MAIN, function(7, "/work/tool.py", "main", "__main__"))
    assert labels(both) == {6: "/work/app.py:main:1", 7: "/work/tool.py:main:1"}
    assert find("/work/tool.py:main:1", both) is both[1]


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("shop.pricing:quot", "shop.pricing:quote"),
        ("Basket.ad", "shop.pricing:Basket.add"),
        ("nowhere:mian", "__main__:main"),
    ],
)
def test_an_unknown_function_is_answered_with_close_ones(text: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(text, ALL)
    assert str(caught.value).startswith(f"No function {text} in this trace.")
    assert near in str(caught.value)


@pytest.mark.parametrize("text", ["", ":", "zzzzz:", "zzzzz", "a:b:c:1", ":5"])
def test_what_is_like_nothing_says_how_to_list_them(text: str) -> None:
    with pytest.raises(UsageError, match="perftrace top"):
        find(text, ALL)
