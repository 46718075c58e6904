import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arm_id import CONTAINER_GROUP, PRIVATE_ZONE, ArmId, container_group_id, parse_container_group, same_id
from core.errors import InputError

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-one/providers/{CONTAINER_GROUP}/web"
# Built from an alphabet, not a regular expression: that is ten times as fast to draw from.
NAMES = st.text("abyzABYZ059_.-", max_size=12).map("n{}n".format)
IDS = st.builds(
    ArmId, NAMES.map(lambda name: name.replace("_", "x").replace(".", "x")), NAMES, NAMES,
    st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=3).map(tuple),
)  # fmt: skip


@given(IDS)
def test_an_id_reads_back_as_it_was_written(identity):
    again = ArmId.parse(str(identity))
    assert again == identity
    assert (again.subscription_id, again.resource_group, again.segments) == (
        identity.subscription_id, identity.resource_group, identity.segments
    )  # fmt: skip


@given(IDS)
def test_ids_that_differ_by_case_alone_are_equal_and_hash_alike(identity):
    for text in (str(identity).lower(), str(identity).upper()):
        other = ArmId.parse(text)
        assert other == identity
        assert hash(other) == hash(identity)


@given(st.text(max_size=200))
def test_any_text_is_an_id_or_bad_input(text):
    with contextlib.suppress(InputError):
        ArmId.parse(text)


def test_an_ids_parts_are_read():
    found = ArmId.parse(f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/{PRIVATE_ZONE}/corp.internal/A/web")
    assert found.type == PRIVATE_ZONE + "/A"
    assert (found.name, found.resource_group, found.provider) == ("web", "rg", "Microsoft.Network")
    assert found.is_a("MICROSOFT.NETWORK/privatednszones/a")
    assert not found.is_a(PRIVATE_ZONE)
    assert found != str(found)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not the id of a resource in a resource group: ''"),
        ("/subscriptions/s", "not the id of a resource in a resource group: '/subscriptions/s'"),
        (ID.removeprefix("/"), f"not the id of a resource in a resource group: '{ID[1:]}'"),
        (ID + "/", f"not the id of a resource in a resource group: '{ID}/'"),
        (ID + "\n", f"not the id of a resource in a resource group: '{ID}\\n'"),
        (ID + "/child", f"not the id of a resource in a resource group: '{ID}/child'"),
        (ID.replace("web", "we b"), f"not the id of a resource in a resource group: '{ID.replace('web', 'we b')}'"),
        (
            ID.replace("web", "we%2fb"),
            "not the id of a resource in a resource group: '" + ID.replace("web", "we%2fb") + "'",
        ),
        (ID.replace("web", "w;b"), "not the id of a resource in a resource group: '" + ID.replace("web", "w;b") + "'"),
        (
            ID.replace("web", "wéb"),
            "not the id of a resource in a resource group: '" + ID.replace("web", "w\\xe9b") + "'",
        ),
        (ID.replace("web", ".."), f"a name made of dots in a resource id: '{ID.replace('web', '..')}'"),
        (ID.replace(SUBSCRIPTION, "_s"), "not a subscription id: '_s'"),
        (ID.replace("rg-one", "rg."), "not the name of a resource group: 'rg.'"),
        (ID.replace("rg-one", "r" * 91), f"not the name of a resource group: '{'r' * 91}'"),
        (ID + "x" * 1000, f"a resource id of {len(ID) + 1000} characters; at most 1024 are taken"),
    ],
)
def test_what_is_no_id_is_refused_with_the_reason(text, reason):
    with pytest.raises(InputError) as caught:
        ArmId.parse(text)
    assert str(caught.value) == reason


@pytest.mark.parametrize("name", ["a", "web", "web-1", "Web", "a" * 63, "1", "a--b"])
def test_a_container_groups_id_is_built_and_read(name):
    built = container_group_id(SUBSCRIPTION, "rg-one", name)
    assert parse_container_group(str(built).upper()) == built
    assert built.name == name


@pytest.mark.parametrize("name", ["a" * 64, "-a", "a-", "a_b", "a.b"])
def test_a_name_that_aci_refuses_is_refused(name):
    with pytest.raises(InputError, match="not the name of a container group"):
        container_group_id(SUBSCRIPTION, "rg-one", name)


@pytest.mark.parametrize("text", [ID + "/containers/x", ID.replace(CONTAINER_GROUP, PRIVATE_ZONE)])
def test_another_resource_is_not_taken_for_a_container_group(text):
    with pytest.raises(InputError, match="not a container group but Microsoft"):
        parse_container_group(text)


def test_ids_as_text_compare_without_case_and_trailing_slash():
    assert same_id(ID, ID.upper() + "/")
    assert not same_id(ID, ID + "2")
