"""One defect at a time in a copy of the deployment: the check that should find it does, where it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.check.findings import CODES, Finding
from infra.check.run import check

Broken = Callable[[str, str, str], list[Finding]]
DEAD_LETTER = """    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: deadLetterDestination
    }
"""
RETRY = """    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
"""
IDENTITY = """  identity: {
    type: 'SystemAssigned'
  }
"""
DIAGNOSTICS = """resource ruleErrors 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'errors'
  scope: rule
"""
ON_ZONE = """  name: guid(zone.id, principalId, 'write')
  scope: zone
"""
ON_GROUP = """  name: guid(zone.id, principalId, 'write')
"""
# file, what is there, what is put in its place, the code that must be found, a word of its message
DEFECTS = {
    # the body against Azure's models
    "misspelt property": ("modules/storage.bicep", "allowSharedKeyAccess:", "allowSharedKeyAcess:", "unknown-property", "allowSharedKeyAccess"),
    "misspelt property below": ("modules/function-app.bicep", "scaleAndConcurrency:", "scaleAndConcurency:", "unknown-property", "scaleAndConcurrency"),
    "wrong enum": ("modules/storage.bicep", "kind: 'StorageV2'", "kind: 'StorageV9'", "not-allowed-value", "StorageV9"),
    "wrong runtime": ("modules/function-app.bicep", "name: 'python'", "name: 'pyhton'", "not-allowed-value", "pyhton"),
    "wrong enum in a list": ("modules/network.bicep", "direction: 'Inbound'", "direction: 'Inwards'", "not-allowed-value", "Inwards"),
    "missing required": ("modules/storage.bicep", "  sku: {\n    name: sku\n  }\n", "", "missing-property", "sku"),
    "missing required below": ("modules/query-pack.bicep", "    body: query.body\n", "", "missing-property", "body"),
    "missing location": ("modules/system-topic.bicep", "  location: 'global'\n", "", "missing-property", "location"),
    "text for a number": ("modules/storage.bicep", "days: 7", "days: 'seven'", "wrong-type", "int is needed"),
    "number for a text": ("modules/function-app.bicep", "version: '3.13'", "version: 3", "wrong-type", "string is needed"),
    "object for a list": ("modules/ingestion.bicep", "        streams: [\n          stream\n        ]", "        streams: stream", "wrong-type", "array is needed"),
    "wrong discriminator": ("modules/event-subscriptions.bicep", "endpointType: 'AzureFunction'", "endpointType: 'Function'", "not-allowed-value", "AzureFunction"),
    "read-only property": ("modules/ingestion.bicep", "    description: 'Outcomes", "    immutableId: 'dcr-1'\n    description: 'Outcomes", "read-only-property", "immutableId"),
    "api-version that never was": ("modules/storage.bicep", "storageAccounts@2025-08-01' =", "storageAccounts@2025-08-31' =", "unknown-api-version", "2025-08-31"),
    "resource type that is not known": ("modules/storage.bicep", "'Microsoft.Storage/storageAccounts@", "'Microsoft.Storage/storageAcounts@", "unknown-type", "storageAcounts"),
    # names and expressions
    "dangling symbol": ("modules/storage.bicep", "workspaceId: workspaceId", "workspaceId: workspceId", "unknown-name", "workspceId"),
    "dangling dependency": ("modules/workspace-content.bicep", "    table\n", "    tables\n", "unknown-name", "tables"),
    "symbol without the property": ("modules/storage.bicep", "storage.name", "storage.nmae", "unknown-property", "nmae"),
    "role without an id": ("modules/roles-zone.bicep", "roles.privateDnsZoneContributor", "roles.privateDnsZoneContributer", "unknown-property", "privateDnsZoneContributer"),
    "misspelt function": ("main.bicep", "toLower(uniqueString(", "toLowr(uniqueString(", "unknown-function", "toLowr"),
    "argument too many": ("main.bicep", "empty(existingWorkspaceId) ?", "empty(existingWorkspaceId, home) ?", "wrong-argument-count", "empty()"),
    "unused variable": ("main.bicep", "var two =", "var three = 3\nvar two =", "unused-name", "three"),
    "declared twice": ("main.bicep", "var two =", "var home = 'x'\nvar two =", "duplicate-name", "home"),
    "variable that needs itself": ("main.bicep", "var two = apps == 'two'", "var two = token == string(two)", "cycle", "two"),
    "brace too few": ("modules/network.bicep", "  tags: tags\n  properties: {\n    addressSpace", "  tags: tags\n  properties: \n    addressSpace", "syntax", ""),
    # modules
    "module that is not there": ("main.bicep", "'modules/storage.bicep'", "'modules/storge.bicep'", "missing-file", "storge.bicep"),
    "parameter that the module lacks": ("main.bicep", "    zoneName: split", "    zoneNam: split", "unknown-parameter", "zoneNam"),
    "parameter that is missing": ("main.bicep", "    zoneName: split(zone, '/')[2]\n", "", "missing-parameter", "zoneName"),
    "parameter of another type": ("main.bicep", "    exists: !empty(source.?systemTopicName ?? '')\n", "    exists: 'no'\n", "wrong-type", "exists"),
    "output that the module lacks": ("main.bicep", "string = writer.outputs.name", "string = writer.outputs.nam", "unknown-property", "nam"),
    "output of another type": ("modules/storage.bicep", "output id string", "output id int", "wrong-type", "output 'id'"),
    "default of another type": ("main.bicep", "param retentionDays int = 90", "param retentionDays int = '90'", "wrong-type", "retentionDays"),
    "default that is not allowed": ("main.bicep", "param apps string = 'two'", "param apps string = 'three'", "not-allowed-value", "three"),
    "loaded file that is not there": ("modules/ingestion.bicep", "generated/stream.json", "generated/streams.json", "missing-file", "streams.json"),
    # scopes
    "module in the wrong scope": ("main.bicep", "  name: 'acidns-storage'\n  scope: homeGroup\n", "  name: 'acidns-storage'\n", "wrong-scope", "resourceGroup"),
    "module for a subscription in a group": ("main.bicep", "  name: 'acidns-custom-roles'\n", "  name: 'acidns-custom-roles'\n  scope: homeGroup\n", "wrong-scope", "subscription"),
    "wrong parent": ("modules/storage.bicep", "  parent: blobs\n  name: 'package-writer'", "  parent: storage\n  name: 'package-writer'", "wrong-scope", "blobServices"),
    # roles
    "too broad role": ("modules/roles-group.bicep", "empty(customRoleName) ? roles.reader", "empty(customRoleName) ? 'b24988ac-6180-42a0-ab88-20f7382dd24c'", "broad-role", "Contributor"),
    "role that nobody knows": ("modules/roles-network.bicep", "roleDefinitions', roles.reader)", "roleDefinitions', '00000000-0000-0000-0000-000000000000')", "unknown-role", "00000000"),
    "zone role on the whole group": ("modules/roles-zone.bicep", ON_ZONE, ON_GROUP, "role-not-granted", "aci_group"),
    "the observer may write DNS": ("main.bicep", "    writerPrincipalIds: [\n      writerPrincipalId\n    ]", "    writerPrincipalIds: [\n      observerPrincipalId\n    ]", "role-not-granted", "observer"),
    "the writer may not write DNS": ("main.bicep", "    writerPrincipalIds: [\n      writerPrincipalId\n    ]", "    writerPrincipalIds: []", "role-missing", "writer the role Private DNS Zone Contributor"),
    "dead letters into the whole account": ("modules/roles-dead-letters.bicep", "  scope: deadLetters\n", "  scope: storage\n", "role-not-granted", "storage"),
    "grant that nothing assigns": ("modules/roles-probe.bicep", "roles.monitoringMetricsPublisher)\n    description", "roles.reader)\n    description", "role-missing", "probe"),
    # Event Grid
    "unfiltered subscription": ("modules/event-subscriptions.bicep", "      advancedFilters: groupFilters\n", "", "unfiltered-subscription", "advancedFilters"),
    "all event types": ("modules/event-subscriptions.bicep", "      includedEventTypes: eventTypes\n", "", "unfiltered-subscription", "includedEventTypes"),
    "filter on something else": ("modules/event-subscriptions.bicep", "key: 'data.operationName'", "key: 'data.resourceProvider'", "unfiltered-subscription", "operationName"),
    "operation of another provider": ("modules/event-subscriptions.bicep", "'Microsoft.ContainerInstance/containerGroups/write'", "'Microsoft.Compute/virtualMachines/write'", "bad-filter", "virtualMachines"),
    "prefix in place of a name": ("modules/event-subscriptions.bicep", "operatorType: 'StringIn'", "operatorType: 'StringBeginsWith'", "bad-filter", "StringIn"),
    "failures too": ("modules/event-subscriptions.bicep", "ResourceWriteSuccess", "ResourceWriteFailure", "bad-filter", "ResourceWriteFailure"),
    "event type that does not exist": ("modules/event-subscriptions.bicep", "ResourceWriteSuccess", "ResourceWritten", "bad-filter", "ResourceWritten"),
    "missing dead-letter": ("modules/event-subscriptions.bicep", DEAD_LETTER, "", "no-dead-letter", "reconcile"),
    "missing retry policy": ("modules/event-subscriptions.bicep", RETRY, "", "no-retry-policy", "reconcile"),
    # policy
    "shared keys on": ("modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "shared-key-access", "allowSharedKeyAccess"),
    "shared keys by a parameter": ("modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: openToAzureServicesOnly", "shared-key-access", "allowSharedKeyAccess"),
    "old TLS": ("modules/storage.bicep", "'TLS1_2'", "'TLS1_0'", "weak-tls", "TLS1_2"),
    "unencrypted storage": ("modules/storage.bicep", "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false", "http-allowed", "supportsHttpsTrafficOnly"),
    "unencrypted app": ("modules/function-app.bicep", "httpsOnly: true", "httpsOnly: false", "http-allowed", "httpsOnly"),
    "public blobs": ("modules/storage.bicep", "allowBlobPublicAccess: false", "allowBlobPublicAccess: true", "public-access", "allowBlobPublicAccess"),
    "public container": ("modules/storage.bicep", "publicAccess: 'None'", "publicAccess: 'Blob'", "public-access", "publicAccess"),
    "public container group": ("modules/sample-spoke-resources.bicep", "type: 'Private'", "type: 'Public'", "public-access", "private"),
    "no identity": ("modules/function-app.bicep", IDENTITY, "", "no-identity", "identity"),
    "topic with keys": ("modules/repair-topic.bicep", "disableLocalAuth: true", "disableLocalAuth: false", "shared-key-access", "disableLocalAuth"),
    "telemetry with keys": ("modules/monitoring.bicep", "DisableLocalAuth: true", "DisableLocalAuth: false", "shared-key-access", "DisableLocalAuth"),
    "host storage with a key": ("modules/function-app.bicep", "AzureWebJobsStorage__accountName: storageName", "AzureWebJobsStorage: storageName", "shared-key-access", "accountName"),
    "logs that go nowhere": ("modules/ingestion.bicep", DIAGNOSTICS, DIAGNOSTICS.replace("scope: rule", "scope: endpoint"), "no-diagnostics", "rule"),
    "secret in an output": ("modules/monitoring.bicep", "output workspaceId", "output key string = workspace.listKeys().primarySharedKey\noutput workspaceId", "secret", "listKeys"),
    "connection string in an output": ("modules/monitoring.bicep", "output workspaceId", "output telemetry string = component.properties.ConnectionString\noutput workspaceId", "secret", "ConnectionString"),
    "password as a parameter": ("modules/function-app.bicep", "param settings object", "param registryPassword string\nparam settings object", "secret", "registryPassword"),
    "key in a text": ("modules/function-app.bicep", "'managedidentity'", "'AccountName=x;AccountKey=abc'", "secret", "connection string"),
    # generated and loaded files
    "table column of a type that tables lack": ("generated/table.json", '"dateTime"', '"date"', "not-allowed-value", "date"),
    "alert rule with a misspelt property": ("generated/alert-rules.json", '\\"windowSize\\"', '\\"windowSze\\"', "unknown-property", "windowSze"),
    "loaded file that is no JSON": ("generated/stream.json", "[", "{", "missing-file", "stream.json"),
    # parameter files
    "parameter file with an unknown parameter": ("environments/dev.parameters.json", '"apps"', '"app"', "unknown-parameter", "'app'"),
    "parameter file with another type": ("environments/dev.parameters.json", '"retentionDays": { "value": 30 }', '"retentionDays": { "value": "30" }', "wrong-type", "retentionDays"),
    "parameter file with a value that is not allowed": ("environments/dev.parameters.json", '"Standard_LRS"', '"Premium_LRS"', "not-allowed-value", "Premium_LRS"),
    "parameter file without a needed one": ("environments/dev.parameters.json", '    "location": { "value": "westeurope" },\n', "", "missing-parameter", "location"),
    "zone map that cannot be used": ("environments/dev.parameters.json", "64.10.in-addr.arpa", "0/25.0.0.10.in-addr.arpa", "not-allowed-value", "RFC 2317"),
    "parameter file that is no JSON": ("environments/dev.parameters.json", '"contentVersion"', "contentVersion", "syntax", "parameter file"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "code", "word"), DEFECTS.values(), ids=DEFECTS.keys())
def test_a_seeded_defect_is_found_by_the_check_that_should(
    broken: Broken, file: str, old: str, new: str, code: str, word: str
) -> None:
    found = broken(file, old, new)
    assert [each for each in found if each.code == code and word in each.message], "\n".join(map(str, found))


def test_the_copy_without_a_defect_is_clean(project: Path) -> None:
    assert check(project) == []


def test_a_defect_is_reported_with_the_line_that_it_is_on(broken: Broken, project: Path) -> None:
    found = broken("modules/storage.bicep", "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_1'")
    lines = (project / "infra/modules/storage.bicep").read_text(encoding="utf-8").splitlines()
    assert {lines[each.line - 1].strip() for each in found} == {"minimumTlsVersion: 'TLS1_1'"}


def test_every_code_but_those_of_the_toolchain_has_a_seeded_defect() -> None:
    seeded = {code for _, _, _, code, _ in DEFECTS.values()}
    # An installed library always has the versions of the table; generated files have tests of their own.
    assert set(CODES) - seeded == {"unmodelled-api-version", "not-generated"}
