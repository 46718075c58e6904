"""What is known of an expression's value before anything is deployed."""

from pathlib import Path

import pytest

from infra.check.evaluate import evaluate
from infra.check.nodes import Name
from infra.check.parser import parse
from infra.check.scope import Scope
from infra.check.values import Known, Obj, OneOf, Unknown, Value, alternatives, from_json, plain

PARAMETERS = {"text": Unknown("string"), "flag": Unknown("bool"), "thing": Obj(open=True), "one": Known("one")}


def value_of(expression: str) -> Value:
    """Evaluate an expression in which text, flag and thing are not known; anything reported fails the test."""
    declared = "param text string\nparam flag bool\nparam thing object\nparam one string\n"
    document = parse(Path("x.bicep"), f"{declared}var it = {expression}\n")

    def report(line: int, code: str, message: str) -> None:
        raise AssertionError(f"{line}: {code}: {message}")

    return evaluate(Name(1, "it"), Scope(document, Path(), dict(PARAMETERS), report))


KNOWN = {
    "'a-${one}-${1 == 1}'": "a-one-True",
    "empty('') ? 1 : 2": 1,
    "union({a: 1, b: {c: 1}}, {b: {d: 2}})": {"a": 1, "b": {"c": 1, "d": 2}},
    "union(['a', 'b'], ['b', 'c'])": ["a", "b", "c"],
    "concat(['a'], [])": ["a"],
    "split('a/b/c', '/')[1]": "b",
    "last(split('a/b/c', '/'))": "c",
    "toLower('A')": "a",
    "string(5)": "5",
    "length(['a', 'b']) >= 2": True,
    "contains('a/b', '/') ? 'yes' : 'no'": "yes",
    "contains({a: 1}, 'b')": False,
    "map([1, 2], x => {y: x})": [{"y": 1}, {"y": 2}],
    "[for (x, i) in ['a', 'b']: '${i}${x}']": ["0a", "1b"],
    "items({b: 1})": [{"key": "b", "value": 1}],
    "toObject(['a'], x => x, x => 'v${x}')": {"a": "va"},
    "flatten([['a'], ['b', 'c']])": ["a", "b", "c"],
    "{a: 1}.?b ?? 'otherwise'": "otherwise",
    "{a: {b: 2}}['a'].b": 2,
    "json('{\"a\": [1]}').a[0]": 1,
    "subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'guid')": "guid",
    "!(1 == 2)": True,
    "flag || 1 == 1": True,
}


@pytest.mark.parametrize("expression", KNOWN)
def test_what_can_be_known_is(expression: str) -> None:
    assert plain(value_of(expression)) == KNOWN[expression]


@pytest.mark.parametrize(
    "expression",
    [
        "text",
        "'a${text}'",
        "thing.a",
        "thing.?a.b",
        "empty(text)",
        "length(text)",
        "uniqueString('a')",
        "guid('a')",
        "flag && 1 == 1",
    ],
)
def test_what_the_deployment_decides_is_unknown(expression: str) -> None:
    found = value_of(expression)
    assert isinstance(found, Unknown)
    with pytest.raises(ValueError, match="not known before the deployment"):
        plain(found)


def test_a_choice_has_both_outcomes_and_equal_ones_are_one() -> None:
    assert value_of("flag ? 'a' : 'b'") == OneOf((Known("a"), Known("b")))
    assert value_of("flag ? 'a' : 'a'") == Known("a")


def test_a_choice_within_a_merge_gives_a_choice_of_objects() -> None:
    found = value_of("union({a: 1}, flag ? {b: 2} : {})")
    assert [plain(each) for each in alternatives(found)] == [{"a": 1, "b": 2}, {"a": 1}]


def test_a_merge_with_something_unknown_keeps_what_is_known_and_stays_open() -> None:
    found = value_of("union({a: 1}, thing)")
    assert isinstance(found, Obj)
    assert found.open
    assert found.get("a") == Known(1)


def test_the_origin_of_an_unknown_value_is_kept_through_members() -> None:
    found = value_of("resourceGroup().id")
    assert found == Unknown("string", "resourceGroup().id")


def test_json_numbers_that_are_no_integers_are_not_taken_for_any() -> None:
    assert from_json({"a": 1.0}) == from_json({"a": 1})
    assert isinstance(from_json(0.5), Unknown)
