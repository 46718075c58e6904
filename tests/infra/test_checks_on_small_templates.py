"""What is reported, and what is not, in templates of a few lines."""

from collections.abc import Callable

import pytest

from infra.check.findings import Finding

Checked = Callable[..., list[Finding]]
ZONE = """resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: 'corp.internal'
  location: 'global'
}
"""
RULE = """resource rules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'rules'
  location: resourceGroup().location
  properties: {
    securityRules: RULES
  }
}
"""
ONE_RULE = """{
  name: 'one'
  properties: {
    priority: 100
    direction: DIRECTION
    access: 'Deny'
    protocol: '*'
  }
}"""


INBOUND, UP = "'Inbound'", "'Up'"


def rule(direction: str) -> str:
    return ONE_RULE.replace("DIRECTION", direction)


def codes(found: list[Finding]) -> list[str]:
    return [each.code for each in found]


@pytest.mark.parametrize(
    "template",
    {
        "a plain resource": ZONE,
        "an unknown value fits anything": "param where string\n" + ZONE.replace("'global'", "where"),
        "either outcome of a condition fits": "param yes bool\n" + ZONE.replace("'global'", "yes ? 'global' : 'west'"),
        "null is as good as absent": ZONE.replace("'global'\n", "'global'\n  tags: null\n"),
        "enumerations without case": RULE.replace("RULES", f"[{rule(INBOUND.lower())}]"),
        "items of a loop over anything": "param all array\n"
        + RULE.replace("RULES", f"[for one in all: {rule('one.direction')}]"),
        "a merge with something unknown": "param more object\n"
        + RULE.replace("RULES", f"[union({rule(INBOUND)}, more)]"),
        "an optional property of an optional object": "param names object = {}\n"
        "var it = names.?a ?? 'b'\noutput o string = it\n",
        "guarded by its own condition": "param names array = []\noutput o string = empty(names) ? '' : names[0]\n",
    }.items(),
    ids=lambda pair: pair[0],
)
def test_what_is_right_is_not_reported(checked: Checked, template: tuple[str, str]) -> None:
    assert checked(template[1]) == []


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param(
            "param yes bool\n" + ZONE.replace("'global'", "yes ? 'global' : 5"),
            ["wrong-type"],
            id="one outcome of a condition",
        ),
        pytest.param(
            RULE.replace("RULES", f"[for one in ['Inbound', 'Sideways']: {rule('one')}]"),
            ["not-allowed-value"],
            id="one item of a known list",
        ),
        pytest.param(
            "var ways = map(['Inbound', 'Up'], way => {\n  it: way\n})\n"
            + RULE.replace("RULES", f"[for one in ways: {rule('one.it')}]"),
            ["not-allowed-value"],
            id="through a lambda",
        ),
        pytest.param(
            RULE.replace("RULES", f"concat([], [{rule(UP)}])"),
            ["not-allowed-value"],
            id="inside concat",
        ),
        pytest.param(
            "@allowed(['Inbound', 'Up'])\nparam way string\n" + RULE.replace("RULES", f"[{rule('way')}]"),
            ["not-allowed-value"],
            id="an allowed value of a parameter",
        ),
        pytest.param(
            "param more object\n" + RULE.replace("RULES", f"[union({rule('5')}, more)]"),
            ["wrong-type"],
            id="what is known of a merge",
        ),
        pytest.param(
            ZONE.replace("= {\n  name: 'corp.internal'", "= if (true) {\n  naem: 'corp.internal'"),
            ["missing-property", "unknown-property"],
            id="inside a condition",
        ),
        pytest.param("var it = {\n  a: 1\n}\noutput o int = it.b\n", ["unknown-property"], id="property of a literal"),
        pytest.param("var it = [\n  1\n]\noutput o int = it[1]\n", ["unknown-property"], id="item of a literal"),
        pytest.param("var it = {\n  a: 1\n  a: 2\n}\noutput o object = it\n", ["duplicate-name"], id="a key twice"),
        pytest.param("var it = 'a' ? 1 : 2\noutput o int = it\n", ["wrong-type"], id="a condition that is no bool"),
        pytest.param("var it = [for x in 'abc': x]\noutput o array = it\n", ["wrong-type"], id="a loop over a text"),
        pytest.param("var it = {}\noutput o string = 'a${it}'\n", ["wrong-type"], id="an object in a text"),
        pytest.param("@sekure()\nparam p int\noutput o int = p\n", ["unknown-function"], id="a decorator"),
        pytest.param(
            "param p string\noutput o string = loadTextContent(p)\n", ["missing-file"], id="a path that is no constant"
        ),
        pytest.param(
            ZONE.replace("Zones@", "Zones/A@").replace("internal", "internal/x"),
            ["unknown-type"],
            id="a child that the table lacks",
        ),
        pytest.param("targetScope = 'subscription'\n" + ZONE, ["wrong-scope"], id="a zone in a subscription"),
    ],
)
def test_what_is_wrong_is_reported_once(checked: Checked, template: str, expected: list[str]) -> None:
    assert codes(checked(template)) == expected


MODULE = "param list array\nparam flag bool = false\noutput size int = length(list)\noutput on bool = flag\n"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param("list: []\n", [], id="a default may be left out"),
        pytest.param("list: 'a'\n", ["wrong-type"], id="a text for a list"),
        pytest.param("list: []\n    flag: null\n", [], id="null takes the default"),
        pytest.param("flag: true\n", ["missing-parameter"], id="a parameter is missing"),
        pytest.param("list: []\n    flug: true\n", ["unknown-parameter"], id="an unknown parameter"),
    ],
)
def test_a_module_is_called_with_what_it_takes(checked: Checked, call: str, expected: list[str]) -> None:
    main = (
        f"module m 'other.bicep' = {{\n  name: 'm'\n  params: {{\n    {call}  }}\n}}\noutput o int = m.outputs.size\n"
    )
    assert codes(checked(main, other=MODULE)) == expected


def test_a_module_in_a_loop_is_read_by_its_index(checked: Checked) -> None:
    main = "module m 'other.bicep' = [for x in [1]: {\n  name: 'm'\n  params: {\n    list: []\n  }\n}]\n"
    assert codes(checked(main + "output o int = m[0].outputs.size\n", other=MODULE)) == []
    assert codes(checked(main + "output o int = m.outputs.size\n", other=MODULE)) == ["wrong-type"]


def test_modules_that_need_one_another_are_a_cycle(checked: Checked) -> None:
    main = "".join(
        f"module {one} 'other.bicep' = {{\n  name: '{one}'\n  params: {{\n"
        f"    list: [\n      {two}.outputs.size\n    ]\n  }}\n}}\n"
        for one, two in (("a", "b"), ("b", "a"))
    )
    assert "cycle" in codes(checked(main, other=MODULE))


def test_a_module_that_contains_itself_is_a_cycle(checked: Checked) -> None:
    assert codes(checked("output o int = 1\n", one="module m 'one.bicep' = {\n  name: 'm'\n}\n")) == ["cycle"]


def test_what_a_caller_gives_is_checked_in_the_module_s_body(checked: Checked) -> None:
    module = "param way string\n" + RULE.replace("RULES", f"[{rule('way')}]")
    main = "module m 'rules.bicep' = {\n  name: 'm'\n  params: {\n    way: 'Sideways'\n  }\n}\n"
    found = checked(main, rules=module)
    assert [(each.path.name, each.code) for each in found] == [("rules.bicep", "not-allowed-value")]
