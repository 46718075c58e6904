"""The functions' health beside DNS, and one group's runtime: Azure's tables joined with ours, whole or missing."""

from datetime import UTC, datetime

import pytest

from kql import catalog, tables

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STAMP = "2026-03-01T11:30:00"
OF = {table.name: table for table in tables.TABLES}
ID = "/subscriptions/s-1/resourceGroups/{}/providers/Microsoft.ContainerInstance/containerGroups/{}"


def request(name, duration=10.0, *, success=True, **values):
    return {"TimeGenerated": STAMP, "Name": name, "Success": success, "DurationMs": duration, **values}


def thrown(name, kind, **values):
    return {"TimeGenerated": STAMP, "OperationName": name, "ExceptionType": kind, **values}


def health(workspace, *columns, call="AciDnsRuntimeHealth()"):
    rows = workspace.ask(f"{call} | sort by TimeGenerated asc, Function asc")
    return [tuple(row[column] for column in ("Function", *columns)) for row in rows]


def test_without_azures_tables_what_the_functions_said_remains(workspace):
    assert workspace.ask("AciDnsRuntimeHealth()") == []
    workspace.says(30, "reconcile_failed", group="web")
    workspace.says(30, "drift_detected", group="web")
    workspace.says(30, "canary", Component="tracker")
    workspace.says(30, "probe_completed")
    workspace.says(30, "audit_completed")
    assert health(workspace, "Requests", "Exceptions", "TopException", "Events", "Warnings", "Errors") == [
        ("audit", 0, 0, "", 1, 0, 0),
        ("canary", 0, 0, "", 1, 0, 0),
        ("probe", 0, 0, "", 1, 0, 0),
        ("reconcile", 0, 0, "", 1, 0, 1),
        ("track", 0, 0, "", 1, 1, 0),
    ]


def test_a_row_that_stands_for_several_counts_as_several(workspace):
    workspace.store(tables.REQUESTS, request("reconcile", 10, ItemCount=5), request("reconcile", 30, success=False))
    workspace.store(tables.REQUESTS, request("reconcile", 20, success=False, ItemCount=2), request("HttpTrigger1"))
    assert health(workspace, "Requests", "FailedRequests", "DurationMsP50", "DurationMsP95", "Events") == [
        ("reconcile", 8, 3, 20, 30, 0)
    ]


def test_the_most_frequent_exception_is_named(workspace):
    workspace.store(tables.EXCEPTIONS, thrown("track", "B"), thrown("track", "A", ItemCount=3), thrown("track", "C"))
    workspace.store(tables.EXCEPTIONS, thrown("audit", "X"), thrown("audit", "Y"), thrown("other", "Z"))
    assert health(workspace, "Exceptions", "TopException", "Requests") == [("audit", 2, "Y", 0), ("track", 5, "A", 0)]


def test_another_apps_functions_of_the_same_name_are_left_out_when_the_app_is_named(workspace):
    workspace.store(tables.REQUESTS, request("probe", AppRoleName="Func-Dns"), request("probe", AppRoleName="else"))
    workspace.store(tables.EXCEPTIONS, thrown("probe", "E", AppRoleName="else"))
    assert health(workspace, "Requests", "Exceptions") == [("probe", 2, 1)]
    assert health(workspace, "Requests", "Exceptions", call='AciDnsRuntimeHealth(1h, "func-dns")') == [("probe", 1, 0)]


def test_buckets_are_of_the_length_that_is_asked_for(workspace):
    workspace.store(tables.REQUESTS, request("probe"))
    workspace.says(50, "probe_completed")
    assert len(workspace.ask("AciDnsRuntimeHealth(1h)")) == 1
    assert len(workspace.ask("AciDnsRuntimeHealth(15m)")) == 2


# --- a group's runtime -----------------------------------------------------------------------------------------------


@pytest.fixture
def busy(workspace):
    agent = {"TimeGenerated": STAMP, "ContainerGroup_s": "web", "ContainerName_s": "nginx", "ResourceGroup": "rg-one"}
    other = {**agent, "ContainerGroup_s": "web", "ResourceGroup": "rg-two"}
    new = {
        "TimeGenerated": STAMP,
        "ContainerGroup": "WEB",
        "ContainerName": "nginx",
        "_ResourceId": ID.format("RG-One", "web"),
    }
    workspace.store(OF["ContainerInstanceLog_CL"], {**agent, "Message": "agent line"}, {**other, "Message": "other"})
    workspace.store(OF["ContainerEvent_CL"], {**agent, "Reason_s": "Killing", "Message": "stopped"})
    workspace.store(OF["ContainerInstanceLog"], {**new, "Message": "new line"})
    workspace.store(OF["ContainerEvent"], {**new, "Reason": "Pulled", "Message": "image"})
    workspace.says(30, "drift_detected", group="web", DriftKinds=["a_mismatch", "ptr_stale"], LiveIp="10.1.0.5")
    workspace.says(29, "reconcile_failed", group="web", ErrorMessage="refused", DriftKinds=["x"])
    workspace.says(28, "reconcile_updated", group="web", Changes=[{"action": "put"}])
    workspace.says(27, "no_change", group="web")
    workspace.says(26, "no_change", group="db")
    workspace.says(26, "probe_failed", group="web", Verdict="a_missing", ErrorMessage="why; fix")
    workspace.says(25, "canary", Component="tracker")
    return workspace


def told(workspace, group):
    rows = workspace.ask(f"AciDnsGroupRuntime('{group}') | sort by Source asc, Name asc, Message asc")
    return [(row["Source"], row["Name"], row["Message"]) for row in rows]


WEB = [
    ("container_event", "Killing", "stopped"),
    ("container_event", "Pulled", "image"),
    ("container_log", "", "agent line"),
    ("container_log", "", "new line"),
    ("probe", "probe_failed", "why; fix"),
    ("reconciler", "reconcile_failed", "refused"),
    ("reconciler", "reconcile_updated", '[{"action":"put"}]'),
    ("tracker", "drift_detected", "DNS differs: a_mismatch, ptr_stale"),
    ("tracker", "no_change", ""),
]


@pytest.mark.parametrize("identity", [ID.format("rg-one", "web"), ID.format("RG-ONE", "WEB")])
def test_a_resource_id_finds_the_group_in_every_table_in_any_case(busy, identity):
    assert told(busy, identity) == WEB


def test_a_name_finds_the_groups_of_that_name_in_every_resource_group(busy):
    assert sorted(set(told(busy, "Web")) - set(WEB)) == [("container_log", "", "other")]


def test_without_a_group_there_are_all(busy):
    assert len(told(busy, "")) == len(WEB) + 2


def test_the_columns_of_an_event_and_of_a_log_line_are_told_apart(busy):
    row = busy.one("AciDnsGroupRuntime('web') | where Name == 'probe_failed'")
    assert [row[name] for name in ("Severity", "ResourceGroup", "Container", "Verdict")] == [
        "Error",
        "rg-one",
        "",
        "a_missing",
    ]
    row = busy.one("AciDnsGroupRuntime('web') | where Message == 'new line'")
    assert [row[name] for name in ("Severity", "ResourceGroup", "Container", "Verdict")] == ["", "RG-One", "nginx", ""]


# --- tables that are not there ---------------------------------------------------------------------------------------


OPTIONAL = [
    (name, table)
    for name in ("AciDnsRuntimeHealth", "AciDnsGroupRuntime", "AciDnsIngestion")
    for table in catalog.functions()[name].tables
    if table != "AciDnsEvents_CL"
    and (name, table) not in {("AciDnsRuntimeHealth", "AppTraces"), ("AciDnsGroupRuntime", "AppTraces")}
]


@pytest.mark.parametrize(("name", "table"), OPTIONAL)
def test_a_table_that_a_workspace_lacks_takes_away_its_own_part_only(busy, name, table):
    entry = catalog.functions()[name]
    given = "".join(f"let {p.name} = {str(p).partition('=')[2]};\n" for p in entry.parameters)
    lacking = entry.body.replace(f"{table}\n", "NoSuchTable\n").replace(f"{table} |", "NoSuchTable |")
    assert lacking != entry.body
    found, whole = busy.engine.query(given + lacking, now=NOW), busy.engine.query(f"{name}()", now=NOW)
    assert found.columns == whole.columns
    assert 0 < len(found) <= len(whole)
