from warehouse import labels, report


def test_money_has_two_places_and_commas():
    assert report.money(1234567) == "12,345.67"


def test_shares_are_of_the_largest():
    assert report.relative({"a": 5, "b": 20, "c": 10}) == {"a": 0.25, "b": 1.0, "c": 0.5}
    assert report.relative({}) == {}


def test_the_longest_bar_is_forty_signs():
    first, second = report.bars({"b": 100, "a": 50})
    assert first.count("#") == 20
    assert second.count("#") == 40


def test_numbers_stand_to_the_right():
    assert report.table([("day", "EUR"), ("1", "12.50"), ("2", "7.00")]) == (
        "day  EUR\n  1  12.50\n  2   7.00\n"
    )


def test_an_empty_note_says_so():
    assert report.note([], "Nothing.") == "Nothing."
    assert report.note(["a", "b"], "Nothing.") == "a, b"


def test_a_barcode_has_start_and_stop():
    bars = labels.barcode("7")
    assert bars == "nwnnwnwnn" "n" "nnnwnnwnw" "n" "nwnnwnwnn" "n"
    assert labels.width(bars) == 48
