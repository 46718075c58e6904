"""What must change, decided from values alone."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.arm_id import ArmId, container_group_id
from core.errors import NameConflictError
from core.live import LiveGroup, LiveState
from core.names import Address, ReverseZone, parse_address
from core.records import RecordSet, ZoneRef, owner_mark
from core.zone_map import DnsConfig, OnStop, Ownership
from reconciler.changes import NotOwnedError, Plan, Seen
from reconciler.desired import Subject, desire
from reconciler.plan import make_plan

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
FORWARD = ZoneRef(SUBSCRIPTION, "rg-dns", "corp.internal")
REVERSE = ZoneRef(SUBSCRIPTION, "rg-dns", "10.in-addr.arpa")
WEB = container_group_id(SUBSCRIPTION, "rg", "web")
OTHER = container_group_id(SUBSCRIPTION, "rg-two", "web")
FQDN = "web.corp.internal"
CONFIG = DnsConfig("rg", None, "corp.internal", (ReverseZone.parse("10.in-addr.arpa"),), "rg-dns")
OLD, NEW, HAND = parse_address("10.0.0.4"), parse_address("10.0.0.5"), parse_address("10.9.9.9")


def a_set(address: Address, owner: ArmId | None = WEB, written: Address | None = None, **changes: Any) -> RecordSet:
    mark = owner_mark(str(owner), written or address) if owner else {}
    return replace(RecordSet(FORWARD, "A", "web", 60, (str(address),), mark, "etag-a"), **changes)


def ptr_set(address: Address, *names: str, owner: ArmId | None = WEB, **changes: Any) -> RecordSet:
    mark = owner_mark(str(owner)) if owner else {}
    relative = ".".join(reversed(str(address).split(".")[1:]))
    return replace(RecordSet(REVERSE, "PTR", relative, 60, names or (FQDN,), mark, f"etag-{address}"), **changes)


def running(address: Address, group: ArmId = WEB) -> LiveGroup:
    return LiveGroup(group, LiveState.RUNNING, address)


GONE = LiveGroup(WEB, LiveState.ABSENT)
STOPPED = LiveGroup(WEB, LiveState.STOPPED)
PUBLIC = LiveGroup(WEB, LiveState.NO_PRIVATE_IP)
STRICT = replace(CONFIG, ownership=Ownership.STRICT)


@dataclass(frozen=True)
class Case:
    """A claim: this group, these records, lead to these changes in this order."""

    claim: str
    live: LiveGroup
    addresses: tuple[RecordSet, ...] = ()
    ptrs: dict[Address, RecordSet | None] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    config: DnsConfig = CONFIG
    owners: dict[str, LiveGroup] = field(default_factory=dict)


OWNED_BY_GONE = {str(OTHER).lower(): LiveGroup(OTHER, LiveState.ABSENT)}
CASES = [
    Case(
        "a new group gets its PTR first and its A last",
        running(NEW),
        (),
        {NEW: None},
        ("create PTR 5.0.0.10", "create A web"),
    ),
    Case("a group whose records are right needs nothing", running(NEW), (a_set(NEW),), {NEW: ptr_set(NEW)}),
    Case(
        "a new address: new PTR, old PTR, then the commit record",
        running(NEW),
        (a_set(OLD),),
        {NEW: None, OLD: ptr_set(OLD)},
        ("create PTR 5.0.0.10", "delete PTR 4.0.0.10", "update A web"),
    ),
    Case(
        "a hand-edited A: its mark leads to the PTR that was written, both are made right",
        running(NEW),
        (a_set(HAND, written=OLD),),
        {NEW: None, HAND: None, OLD: ptr_set(OLD)},
        ("create PTR 5.0.0.10", "delete PTR 4.0.0.10", "update A web"),
    ),
    Case(
        "the old address was given to another group, whose PTR is left alone",
        running(NEW),
        (a_set(OLD),),
        {NEW: None, OLD: ptr_set(OLD, "api.corp.internal", owner=OTHER)},
        ("create PTR 5.0.0.10", "update A web"),
    ),
    Case(
        "a PTR that names others too keeps them and loses our name and mark",
        running(NEW),
        (a_set(OLD),),
        {NEW: ptr_set(NEW), OLD: ptr_set(OLD, FQDN, "alias.corp.internal")},
        ("update PTR 4.0.0.10", "update A web"),
    ),
    Case("a missing PTR alone is repaired alone", running(NEW), (a_set(NEW),), {NEW: None}, ("create PTR 5.0.0.10",)),
    Case(
        "a PTR that names us among others is right",
        running(NEW),
        (a_set(NEW),),
        {NEW: ptr_set(NEW, "alias.corp.internal", FQDN)},
    ),
    Case(
        "a TTL that differs is repaired like an address",
        running(NEW),
        (a_set(NEW, ttl=5),),
        {NEW: ptr_set(NEW, ttl=5)},
        ("update PTR 5.0.0.10", "update A web"),
    ),
    Case(
        "a name in another case or with a dot is the same name",
        running(NEW),
        (a_set(NEW),),
        {NEW: ptr_set(NEW, "WEB.corp.internal.")},
    ),
    Case(
        "an owner mark whose id differs by case alone is ours",
        running(NEW),
        (a_set(NEW, metadata={**owner_mark(str(WEB), NEW), "container-group-id": str(WEB).upper()}),),
        {NEW: ptr_set(NEW)},
    ),
    Case(
        "unowned records are adopted: marked, not rewritten",
        running(NEW),
        (a_set(NEW, owner=None),),
        {NEW: ptr_set(NEW, owner=None)},
        ("update PTR 5.0.0.10", "update A web"),
    ),
    Case(
        "the records of a namesake that is gone are taken over",
        running(NEW),
        (a_set(OLD, owner=OTHER),),
        {NEW: None, OLD: ptr_set(OLD, owner=OTHER)},
        ("create PTR 5.0.0.10", "delete PTR 4.0.0.10", "update A web"),
        owners=OWNED_BY_GONE,
    ),
    Case(
        "the PTR of an owner that moved away is overwritten: the address is ours now",
        running(NEW),
        (),
        {NEW: ptr_set(NEW, "api.corp.internal", owner=OTHER)},
        ("update PTR 5.0.0.10", "create A web"),
        owners={str(OTHER).lower(): running(OLD, OTHER)},
    ),
    Case(
        "a group that is gone: PTRs first, then A",
        GONE,
        (a_set(OLD),),
        {OLD: ptr_set(OLD)},
        ("delete PTR 4.0.0.10", "delete A web"),
    ),
    Case("a group that is gone and left nothing", GONE),
    Case(
        "unowned records of a group that is gone go too, where they may be adopted",
        GONE,
        (a_set(OLD, owner=None),),
        {OLD: ptr_set(OLD, owner=None)},
        ("delete PTR 4.0.0.10", "delete A web"),
    ),
    Case(
        "under strict ownership they stay",
        GONE,
        (a_set(OLD, owner=None),),
        {OLD: ptr_set(OLD, owner=None)},
        config=STRICT,
    ),
    Case(
        "another group's records stay when ours is gone",
        GONE,
        (a_set(OLD, owner=OTHER),),
        {OLD: ptr_set(OLD, owner=OTHER)},
    ),
    Case(
        "a stopped group's records go: its address may be given to another",
        STOPPED,
        (a_set(OLD),),
        {OLD: ptr_set(OLD)},
        ("delete PTR 4.0.0.10", "delete A web"),
    ),
    Case(
        "a stopped group's records stay where that is configured",
        STOPPED,
        (a_set(OLD),),
        {OLD: ptr_set(OLD)},
        config=replace(CONFIG, on_stop=OnStop.KEEP),
    ),
    Case(
        "a stopped group is no reason to remove what somebody else made",
        STOPPED,
        (a_set(OLD, owner=None),),
        {OLD: ptr_set(OLD, owner=None)},
    ),
    Case(
        "a group that became public loses the records that we wrote",
        PUBLIC,
        (a_set(OLD),),
        {OLD: ptr_set(OLD)},
        ("delete PTR 4.0.0.10", "delete A web"),
    ),
    Case("a public group's hand-made A is left alone", PUBLIC, (a_set(OLD, owner=None),), {OLD: None}),
    Case(
        "metadata of others is kept",
        running(NEW),
        (a_set(NEW, owner=None, metadata={"team": "net"}),),
        {NEW: ptr_set(NEW)},
        ("update A web",),
    ),
]


def plan(case: Case) -> Plan:
    subject = Subject.of(case.live, case.config)
    return make_plan(subject, desire(subject), Seen(case.addresses, case.ptrs, case.owners))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.claim)
def test_plan(case: Case) -> None:
    shown = [f"{change.action} {change.record_set.type} {_short(change.record_set)}" for change in plan(case).changes]
    assert tuple(shown) == case.changes


def _short(record_set: RecordSet) -> str:
    return record_set.fqdn.removesuffix(".in-addr.arpa") if record_set.type == "PTR" else record_set.name


def test_every_write_is_guarded_by_the_etag_that_was_read() -> None:
    case = Case("", running(NEW), (a_set(OLD),), {NEW: None, OLD: ptr_set(OLD)})
    etags = [change.record_set.etag for change in plan(case).changes]
    assert etags == [None, "etag-10.0.0.4", "etag-a"]


def test_what_is_written_carries_the_owner_and_on_a_the_address() -> None:
    ptr, a = plan(Case("", running(NEW), (), {NEW: None})).changes
    assert ptr.after
    assert a.after
    assert ptr.after.metadata == {"managed-by": "aci-dns-truth", "container-group-id": str(WEB)}
    assert a.after.metadata == {**ptr.after.metadata, "written-address": "10.0.0.5"}


def test_metadata_of_others_survives_the_mark() -> None:
    (change,) = plan(CASES[-1]).changes
    assert change.after
    assert change.after.metadata["team"] == "net"


def test_a_mark_is_taken_off_what_is_no_longer_ours() -> None:
    case = next(case for case in CASES if case.claim.startswith("a PTR that names others too"))
    change = plan(case).changes[0]
    assert change.after
    assert change.after.values == ("alias.corp.internal",)
    assert change.after.metadata == {}


def test_the_name_of_another_live_group_is_refused_and_nothing_is_planned() -> None:
    case = Case(
        "", running(NEW), (a_set(OLD, owner=OTHER),), {NEW: None}, owners={str(OTHER).lower(): running(OLD, OTHER)}
    )
    with pytest.raises(NameConflictError) as refused:
        plan(case)
    assert str(OTHER) in str(refused.value)


@pytest.mark.parametrize("state", [LiveState.STOPPED, LiveState.NOT_READY, LiveState.NO_PRIVATE_IP])
def test_an_owner_that_exists_in_any_state_keeps_its_name(state: LiveState) -> None:
    case = Case(
        "", running(NEW), (a_set(OLD, owner=OTHER),), {NEW: None}, owners={str(OTHER).lower(): LiveGroup(OTHER, state)}
    )
    with pytest.raises(NameConflictError):
        plan(case)


def test_strict_ownership_refuses_an_unowned_name() -> None:
    with pytest.raises(NotOwnedError, match="no owner mark and ownership is strict"):
        plan(Case("", running(NEW), (a_set(OLD, owner=None),), {NEW: None}, config=STRICT))


def test_what_azure_registered_for_a_virtual_machine_is_never_touched() -> None:
    registered = a_set(OLD, owner=None, auto_registered=True)
    with pytest.raises(NotOwnedError, match="registered by Azure for a virtual machine"):
        plan(Case("", running(NEW), (registered,), {NEW: None}))
    assert plan(Case("", GONE, (registered,))).changes == ()


@pytest.mark.parametrize(
    ("ptr", "config", "code"),
    [
        (ptr_set(NEW, "api.corp.internal", owner=OTHER), CONFIG, "name_conflict"),
        (ptr_set(NEW, "vm.corp.internal", owner=None), STRICT, "not_owned"),
    ],
)
def test_a_ptr_that_is_not_ours_does_not_hold_up_the_address_record(
    ptr: RecordSet, config: DnsConfig, code: str
) -> None:
    owners = {str(OTHER).lower(): running(NEW, OTHER)}
    made = plan(Case("", running(NEW), (), {NEW: ptr}, config=config, owners=owners))
    assert [change.record_set.type for change in made.changes] == ["A"]
    assert [problem.code for problem in made.problems] == [code]


def test_an_address_of_the_other_family_is_removed_when_it_is_ours() -> None:
    v6 = parse_address("fd00::4")
    config = replace(CONFIG, reverse_zones=(*CONFIG.reverse_zones, ReverseZone.parse("0.0.d.f.ip6.arpa")))
    made = plan(Case("", running(v6), (a_set(OLD),), {v6: None, OLD: ptr_set(OLD)}, config=config))
    assert [str(change).split(":")[0] for change in made.changes] == [
        "create PTR 4." + "0." * 27 + "0.0.d.f.ip6.arpa",
        "delete PTR 4.0.0.10.in-addr.arpa",
        "create AAAA web.corp.internal",
        "delete A web.corp.internal",
    ]


def test_a_change_reads_as_a_sentence_and_as_json() -> None:
    change = plan(Case("", running(NEW), (a_set(OLD),), {NEW: ptr_set(NEW), OLD: None})).changes[0]
    assert str(change) == "update A web.corp.internal: 10.0.0.4 → 10.0.0.5 (values, owner mark differ)"
    assert change.to_json() == {
        "action": "update",
        "type": "A",
        "zone": "corp.internal",
        "name": "web",
        "before": ["10.0.0.4"],
        "after": ["10.0.0.5"],
        "ttl": 60,
        "reason": "values, owner mark differ",
    }
