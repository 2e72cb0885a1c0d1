"""Names: as written where they are names, clean and distinct where they are not."""

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.codegen.naming import class_name, distinct, identifier, variable, without_language


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pay", "pay"),
        ("PayNow", "PayNow"),
        ("_private", "_private"),
        ("größe", "größe"),
        ("pay-now", "pay_now"),
        ("pay  now!", "pay_now"),
        ("class", "class_"),
        ("None", "None_"),
        ("print", "print_"),
        ("2fa", "step_2fa"),
        ("--", "step"),
        ("_", "step"),
        ("__init__", "init"),
        ("x" * 128, "x" * 70),
    ],
)
def test_a_step_as_a_function(text, name):
    assert variable(text) == name


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (("validate_order", "Result"), "ValidateOrderResult"),
        (("order_fulfillment", "validate_order", "Result"), "OrderFulfillmentValidateOrderResult"),
        (("orderId",), "OrderId"),
        (("2fa", "Result"), "Step2faResult"),
        (("--",), "Step"),
        (("a-b c.d",), "ABCD"),
    ],
)
def test_texts_as_a_class(texts, name):
    assert class_name(*texts) == name


@given(st.lists(st.text(max_size=20), unique=True))
def test_every_text_gets_a_name_of_its_own(texts):
    names = distinct(texts, variable)

    assert list(names) == texts
    assert len(set(names.values())) == len(texts)
    assert all(each.isidentifier() and not keyword.iskeyword(each) for each in names.values())


@given(st.text(max_size=20))
def test_a_name_is_the_name_of_itself(text):
    assert identifier(identifier(text)) == identifier(text)
    assert class_name(text).isidentifier()


def test_who_has_a_name_keeps_it():
    assert distinct(["pay-now", "pay now", "pay_now"], variable) == {
        "pay-now": "pay_now_2",
        "pay now": "pay_now_3",
        "pay_now": "pay_now",
    }
    assert distinct(["pay"], variable, taken=["pay"]) == {"pay": "pay_2"}


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("shop_py", "shop"),
        ("shop_typescript", "shop"),
        ("happy", "happy"),
        ("shop_pyx", "shop_pyx"),
    ],
)
def test_a_namespace_loses_its_language(namespace, name):
    assert without_language(namespace) == name
