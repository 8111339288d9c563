import pytest
from warehouse.codes import check_digit, parse_sku
from warehouse.models import BadCode


def test_a_code_in_its_usual_form_stays_as_it_is():
    code = f"AK-0017-{check_digit('AK-0017')}"
    assert parse_sku(code) == code


def test_spaces_and_small_letters_are_forgiven():
    digit = check_digit("AK-0017")
    assert parse_sku(f"  ak0017{digit} ") == f"AK-0017-{digit}"


@pytest.mark.parametrize("text", ["", "AK-17-1", "A1-0017-3", "AK-0017-33", "AK 0017 3"])
def test_other_text_is_refused(text):
    with pytest.raises(BadCode, match="not a stock code"):
        parse_sku(text)


def test_a_mistyped_digit_is_noticed():
    wrong = (check_digit("AK-0017") + 1) % 10
    with pytest.raises(BadCode) as caught:
        parse_sku(f"AK-0017-{wrong}")
    assert caught.value.reason == "wrong check digit"
