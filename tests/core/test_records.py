import pytest

from core.names import parse_address
from core.records import RecordSet, ZoneRef, address_type, owner_mark, same_values

ZONE = ZoneRef("s", "rg", "corp.internal")
OWNER = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups/web"


def record_set(*values, metadata=None, name="web"):
    return RecordSet(ZONE, "A", name, 60, values, metadata or {})


@pytest.mark.parametrize(
    ("name", "fqdn"), [("web", "web.corp.internal"), ("@", "corp.internal"), ("a.b", "a.b.corp.internal")]
)
def test_a_record_set_has_a_full_name(name, fqdn):
    assert record_set(name=name).fqdn == fqdn


def test_a_mark_reads_back():
    marked = record_set(metadata=owner_mark(OWNER, parse_address("10.0.0.4")))
    assert (marked.owner, marked.written_address) == (OWNER, "10.0.0.4")
    assert marked.is_owned_by(OWNER.upper())
    assert not marked.is_owned_by(OWNER + "2")


def test_the_mark_of_a_ptr_has_no_address():
    assert record_set(metadata=owner_mark(OWNER)).written_address is None


@pytest.mark.parametrize(
    "metadata",
    [{}, {"container-group-id": OWNER},
     {"managed-by": "terraform", "container-group-id": OWNER, "written-address": "x"},
     {"managed-by": "aci-dns-truth"},
     {"managed-by": "aci-dns-truth", "container-group-id": ""}],
)  # fmt: skip
def test_a_set_without_our_whole_mark_has_no_owner(metadata):
    unowned = record_set(metadata=metadata)
    assert (unowned.owner, unowned.written_address, unowned.is_owned_by(OWNER)) == (None, None, False)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (("a.b", "c.d"), ("C.D.", "a.b"), True),
        (("a.b",), ("a.b", "a.b"), True),
        (("a.b",), ("a.b", "c.d"), False),
        ((), (), True),
        ((), ("a.b",), False),
    ],
)
def test_values_compare_as_dns_does(left, right, same):
    assert same_values(left, right) is same
    assert same_values(right, left) is same


def test_a_set_names_its_targets_in_any_spelling():
    assert record_set("web.corp.internal").names("Web.Corp.Internal.")
    assert not record_set("web.corp.internal").names("web.corp")


@pytest.mark.parametrize(("address", "kind"), [("10.0.0.4", "A"), ("fd00::4", "AAAA")])
def test_an_address_has_its_record_type(address, kind):
    assert address_type(parse_address(address)) == kind
