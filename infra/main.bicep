// The whole system but the event subscriptions: those name functions that exist only once the code is there, so
// events.bicep is deployed after it.
targetScope = 'subscription'

metadata description = 'Keeps Azure Private DNS true for Azure Container Instances, and shows it.'

@description('Name of the environment (dev, prod, ...); part of every name.')
@minLength(2)
@maxLength(20)
param environmentName string

@description('Region of everything that has one.')
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Tags of every resource.')
param tags object = {}

@description('Names that replace the conventional ones, by key: resourceGroup, workspace, applicationInsights, storage, observerStorage, writer, observer, rule, endpoint, queryPack, actionGroup, network, repairTopic.')
param names object = {}

@description('Which zones belong to which resource group; docs/settings.md says how it is written. The only list that has to be kept.')
param zoneMap object

@description('two: a function app that writes DNS and one that only observes, each with its own identity. one: a single app with both.')
@allowed([
  'two'
  'one'
])
param apps string = 'two'

@description('Subscriptions whose events are taken: subscriptionId, resourceGroup (exists, holds the system topic), systemTopicName (an existing topic of that subscription; absent for a new one). Empty: this subscription alone.')
param eventSources array = []

@description('Existing Log Analytics workspace, by id; empty for a new one.')
param existingWorkspaceId string = ''

@description('Existing workspace-based Application Insights component, by id; empty for a new one.')
param existingApplicationInsightsId string = ''

@description('Existing subnet for the function apps, delegated to Microsoft.App/environments, by id; empty for a new network.')
param existingSubnetId string = ''

@description('Existing subnet for private endpoints, by id; needed with privateEndpoints and existingSubnetId.')
param existingEndpointSubnetId string = ''

@description('Existing zone privatelink.blob.core.windows.net, by id, linked to the network of the function apps; empty for a new one.')
param existingBlobZoneId string = ''

@description('Address space of the new network: a /24 or larger.')
param networkAddressPrefix string = '10.250.0.0/24'

@description('Whether the storage account is reached through a private endpoint alone.')
param privateEndpoints bool = false

@description('Azure Monitor private link scope, by id; the workspace and a data collection endpoint join it. Empty: public ingestion.')
param privateLinkScopeId string = ''

@description('Whether the function apps take requests from Event Grid alone. Deployment goes another way and is not concerned.')
param inboundFromEventGridOnly bool = false

@description('Whether custom roles, narrower than the built-in ones, are made and assigned.')
param useCustomRoles bool = false

@description('Whether the zones that the map names are made. They may also exist already.')
param createZones bool = false

@description('Virtual networks that new zones are linked to, by id.')
param zoneLinkNetworkIds array = []

@description('Virtual networks whose links the probe checks, by id; empty: those that the container groups are in.')
param probedNetworkIds array = []

@description('Probes in further networks: name, subscriptionId, resourceGroup, location, subnetId, image, registryId (optional), targets (optional).')
param probes array = []

@description('off: the audit only reports. publish: it publishes what a reconciliation can repair, and the reconciler answers.')
@allowed([
  'off'
  'publish'
])
param repair string = 'off'

@description('Timers: six fields, UTC.')
param probeSchedule string = '0 */10 * * * *'

@description('When the whole fleet is audited: six fields, UTC.')
param auditSchedule string = '0 5 * * * *'

@description('How often a canary row is sent: six fields, UTC.')
param canarySchedule string = '0 */5 * * * *'

@description('E-mail addresses by urgency: page and ticket, a list each.')
param alertEmails object = {}

@description('Existing action groups by urgency: page and ticket, a list of ids each; they are told too.')
param existingActionGroupIds object = {}

@description('Whether alert rules are on.')
param alertsEnabled bool = true

@description('Days that rows of the workspace are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int = 90

@description('Rows of the probe: failures alone, or all targets. With all, rows grow with groups times probes (docs/costs.md).')
@allowed([
  'all'
  'failures'
])
param probeEmit string = 'all'

@description('Most instances of a function app.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('Memory of an instance in MB.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('Redundancy of the storage account.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
])
param storageSku string = 'Standard_ZRS'

@description('A spoke to try it with: a network, a forward and a reverse zone, two container groups. Its resource group must be in the zone map.')
param sampleSpoke bool = false

var token = toLower(uniqueString(subscription().id, environmentName, location))
var allTags = union({
  'azd-env-name': environmentName
  application: 'aci-dns-truth'
}, tags)
var two = apps == 'two'
var home = names.?resourceGroup ?? 'rg-acidns-${environmentName}'
var workspaceName = names.?workspace ?? 'log-acidns-${environmentName}-${token}'
var writerName = names.?writer ?? 'func-acidns-${environmentName}-writer-${token}'
var observerName = names.?observer ?? 'func-acidns-${environmentName}-observer-${token}'
var storageName = names.?storage ?? take('stacidnsw${token}', 24)
var observerStorageName = names.?observerStorage ?? take('stacidnso${token}', 24)

// The zone map, read: the resource groups of container groups and the zones, each once, as 'subscription/group[/zone]'.
var entries = map(items(zoneMap), entry => {
  subscriptionId: contains(entry.key, '/') ? split(entry.key, '/')[0] : subscription().subscriptionId
  group: last(split(entry.key, '/'))
  zones: entry.value
})
var places = map(entries, entry => {
  prefix: '${entry.zones.?zones_subscription_id ?? entry.subscriptionId}/${entry.zones.zones_resource_group}'
  forward: entry.zones.forward_zone
  reverse: entry.zones.?reverse_zones ?? []
})
var aciGroups = union([], map(entries, entry => toLower('${entry.subscriptionId}/${entry.group}')))
var forwardZones = union([], map(places, place => toLower('${place.prefix}/${place.forward}')))
var reverseZones = union([], flatten(map(places, place => map(place.reverse, zone => toLower('${place.prefix}/${zone}')))))
var zones = union(forwardZones, reverseZones)
var zonesToMake = createZones ? zones : []
var repairOn = repair == 'publish'
var sources = empty(eventSources) ? [
  {
    subscriptionId: subscription().subscriptionId
    resourceGroup: home
    systemTopicName: ''
  }
] : eventSources
// Custom roles are assignable wherever a container group or a zone is.
var subscriptionScopes = union([], map(union(aciGroups, zones), scope => '/subscriptions/${split(scope, '/')[0]}'))

resource homeGroup 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: home
  location: location
  tags: allTags
}

module customRoles 'modules/custom-roles.bicep' = if (useCustomRoles) {
  name: 'acidns-custom-roles'
  params: {
    assignableScopes: subscriptionScopes
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'acidns-monitoring'
  scope: homeGroup
  params: {
    location: location
    tags: allTags
    workspaceName: workspaceName
    existingWorkspaceId: existingWorkspaceId
    applicationInsightsName: names.?applicationInsights ?? 'appi-acidns-${environmentName}'
    existingApplicationInsightsId: existingApplicationInsightsId
    retentionDays: retentionDays
  }
}

// What lies inside the workspace is deployed where the workspace is, which may be another subscription.
module workspaceContent 'modules/workspace-content.bicep' = {
  name: 'acidns-workspace-content-${token}'
  scope: resourceGroup(empty(existingWorkspaceId) ? subscription().subscriptionId : split(existingWorkspaceId, '/')[2], empty(existingWorkspaceId) ? home : split(existingWorkspaceId, '/')[4])
  params: {
    workspaceName: empty(existingWorkspaceId) ? workspaceName : last(split(existingWorkspaceId, '/'))
    retentionDays: retentionDays
  }
  dependsOn: [
    monitoring
  ]
}

module ingestion 'modules/ingestion.bicep' = {
  name: 'acidns-ingestion'
  scope: homeGroup
  params: {
    location: location
    tags: allTags
    ruleName: names.?rule ?? 'dcr-acidns-${environmentName}'
    endpointName: names.?endpoint ?? 'dce-acidns-${environmentName}'
    workspaceId: monitoring.outputs.workspaceId
    privateLinkScopeId: privateLinkScopeId
  }
  dependsOn: [
    workspaceContent
  ]
}

module privateLink 'modules/private-link-scope.bicep' = if (!empty(privateLinkScopeId)) {
  name: 'acidns-private-link-${token}'
  scope: resourceGroup(empty(privateLinkScopeId) ? subscription().subscriptionId : split(privateLinkScopeId, '/')[2], empty(privateLinkScopeId) ? home : split(privateLinkScopeId, '/')[4])
  params: {
    scopeName: empty(privateLinkScopeId) ? 'none' : last(split(privateLinkScopeId, '/'))
    workspaceId: monitoring.outputs.workspaceId
    endpointId: ingestion.outputs.endpointId
  }
}

module network 'modules/network.bicep' = if (empty(existingSubnetId)) {
  name: 'acidns-network'
  scope: homeGroup
  params: {
    location: location
    tags: allTags
    name: names.?network ?? 'vnet-acidns-${environmentName}'
    addressPrefix: networkAddressPrefix
  }
}

module storage 'modules/storage.bicep' = {
  name: 'acidns-storage'
  scope: homeGroup
  params: {
    location: location
    tags: allTags
    name: storageName
    sku: storageSku
    openToAzureServicesOnly: privateEndpoints
    keepsDeadLetters: true
    workspaceId: monitoring.outputs.workspaceId
  }
}

module observerStorage 'modules/storage.bicep' = if (two) {
  name: 'acidns-observer-storage'
  scope: homeGroup
  params: {
    location: location
    tags: allTags
    name: observerStorageName
    sku: storageSku
    openToAzureServicesOnly: privateEndpoints
    keepsDeadLetters: false
    workspaceId: monitoring.outputs.workspaceId
  }
}

module blobZone 'modules/blob-zone.bicep' = if (privateEndpoints && empty(existingBlobZoneId)) {
  name: 'acidns-blob-zone'
  scope: homeGroup
  params: {
    tags: allTags
    networkId: empty(existingSubnetId) ? network.outputs.id : split(existingSubnetId, '/subnets/')[0]
  }
}

module storageEndpoint 'modules/private-endpoint.bicep' = if (privateEndpoints) {
  name: 'acidns-storage-endpoint'
  scope: homeGroup
  params: {
    location: location
    tags: allTags
    name: 'pe-${storageName}-blob'
    targetId: storage.outputs.id
    subnetId: empty(existingSubnetId) ? network.outputs.endpointSubnetId : existingEndpointSubnetId
    zoneId: empty(existingBlobZoneId) ? blobZone.outputs.id : existingBlobZoneId
  }
}

module observerStorageEndpoint 'modules/private-endpoint.bicep' = if (privateEndpoints && two) {
  name: 'acidns-observer-storage-endpoint'
  scope: homeGroup
  params: {
    location: location
    tags: allTags
    name: 'pe-${observerStorageName}-blob'
    targetId: observerStorage.outputs.id
    subnetId: empty(existingSubnetId) ? network.outputs.endpointSubnetId : existingEndpointSubnetId
    zoneId: empty(existingBlobZoneId) ? blobZone.outputs.id : existingBlobZoneId
  }
}

module repairTopic 'modules/repair-topic.bicep' = if (repairOn) {
  name: 'acidns-repair-topic'
  scope: homeGroup
  params: {
    location: location
    tags: allTags
    name: names.?repairTopic ?? 'evgt-acidns-${environmentName}-${token}'
    workspaceId: monitoring.outputs.workspaceId
  }
}

var subnetId = empty(existingSubnetId) ? network.outputs.functionsSubnetId : existingSubnetId
var commonSettings = {
  DNS_ZONE_MAP: string(zoneMap)
  LOGS_INGESTION_ENDPOINT: ingestion.outputs.logsIngestionEndpoint
  LOGS_DCR_IMMUTABLE_ID: ingestion.outputs.immutableId
  ARM_ENDPOINT: environment().resourceManager
  PROBE_SCHEDULE: probeSchedule
  AUDIT_SCHEDULE: auditSchedule
  CANARY_SCHEDULE: canarySchedule
  PROBE_EMIT: probeEmit
  PROBE_VANTAGE: split(subnetId, '/subnets/')[0]
  PROBE_SUBNET: last(split(subnetId, '/'))
  PROBE_VNETS: join(probedNetworkIds, ',')
}
var repairSettings = repairOn ? {
  REPAIR: repair
  REPAIR_TOPIC_ENDPOINT: repairTopic.outputs.endpoint
} : {}

module writer 'modules/function-app.bicep' = {
  name: 'acidns-writer'
  scope: homeGroup
  params: {
    location: location
    tags: union(allTags, {
      'azd-service-name': 'writer'
    })
    name: writerName
    storageName: storage.outputs.name
    packageContainer: storage.outputs.packageContainer
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    workspaceId: monitoring.outputs.workspaceId
    subnetId: subnetId
    maximumInstances: maximumInstances
    instanceMemoryMB: instanceMemoryMB
    inboundFromEventGridOnly: inboundFromEventGridOnly
    disabledFunctions: two ? [
      'track'
      'probe'
      'audit'
    ] : []
    settings: union(commonSettings, two ? {} : repairSettings, {
      CANARY_COMPONENT: 'reconciler'
    })
  }
}

module observer 'modules/function-app.bicep' = if (two) {
  name: 'acidns-observer'
  scope: homeGroup
  params: {
    location: location
    tags: union(allTags, {
      'azd-service-name': 'observer'
    })
    name: observerName
    storageName: observerStorage.outputs.name
    packageContainer: observerStorage.outputs.packageContainer
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    workspaceId: monitoring.outputs.workspaceId
    subnetId: subnetId
    maximumInstances: maximumInstances
    instanceMemoryMB: instanceMemoryMB
    inboundFromEventGridOnly: inboundFromEventGridOnly
    disabledFunctions: [
      'reconcile'
    ]
    settings: union(commonSettings, repairSettings, {
      CANARY_COMPONENT: 'tracker'
    })
  }
}

var writerPrincipalId = writer.outputs.principalId
var observerPrincipalId = two ? observer.outputs.principalId : writer.outputs.principalId

module homeRoles 'modules/roles-home.bicep' = {
  name: 'acidns-roles-home'
  scope: homeGroup
  params: {
    principalIds: union([
      writerPrincipalId
    ], [
      observerPrincipalId
    ])
    ruleName: ingestion.outputs.ruleName
    repairTopicName: repairOn ? repairTopic.outputs.name : ''
    repairPrincipalId: observerPrincipalId
  }
}

module writerStorageRole 'modules/roles-storage.bicep' = {
  name: 'acidns-roles-storage-writer'
  scope: homeGroup
  params: {
    storageName: storage.outputs.name
    principalId: writer.outputs.principalId
  }
}

module observerStorageRole 'modules/roles-storage.bicep' = if (two) {
  name: 'acidns-roles-storage-observer'
  scope: homeGroup
  params: {
    storageName: observerStorage.outputs.name
    principalId: observer.outputs.principalId
  }
}

module telemetryRoles 'modules/roles-telemetry.bicep' = {
  name: 'acidns-roles-telemetry-${token}'
  scope: resourceGroup(empty(existingApplicationInsightsId) ? subscription().subscriptionId : split(existingApplicationInsightsId, '/')[2], empty(existingApplicationInsightsId) ? home : split(existingApplicationInsightsId, '/')[4])
  params: {
    principalIds: union([
      writerPrincipalId
    ], [
      observerPrincipalId
    ])
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module groupRoles 'modules/roles-group.bicep' = [for group in aciGroups: {
  name: 'acidns-roles-group-${uniqueString(group, environmentName)}'
  scope: resourceGroup(split(group, '/')[0], split(group, '/')[1])
  params: {
    principalIds: union([
      writerPrincipalId
    ], [
      observerPrincipalId
    ])
    customRoleName: useCustomRoles ? customRoles.outputs.groupReaderName : ''
  }
  dependsOn: [
    spoke
  ]
}]

module zoneRoles 'modules/roles-zone.bicep' = [for zone in zones: {
  name: 'acidns-roles-zone-${uniqueString(zone, environmentName)}'
  scope: resourceGroup(split(zone, '/')[0], split(zone, '/')[1])
  params: {
    zoneName: split(zone, '/')[2]
    writerPrincipalIds: [
      writerPrincipalId
    ]
    // A single app's writer role covers what it reads, but for the narrow custom one, which sees no links.
    readerPrincipalIds: two || useCustomRoles ? [
      observerPrincipalId
    ] : []
    customWriterRoleName: useCustomRoles ? customRoles.outputs.recordWriterName : ''
    customReaderRoleName: useCustomRoles ? customRoles.outputs.recordReaderName : ''
  }
  dependsOn: [
    newZones
    spoke
  ]
}]

module networkRoles 'modules/roles-network.bicep' = {
  name: 'acidns-roles-network-${token}'
  scope: resourceGroup(empty(existingSubnetId) ? subscription().subscriptionId : split(existingSubnetId, '/')[2], empty(existingSubnetId) ? home : split(existingSubnetId, '/')[4])
  params: {
    networkName: last(split(split(subnetId, '/subnets/')[0], '/'))
    principalId: observerPrincipalId
  }
}

module newZones 'modules/private-zone.bicep' = [for zone in zonesToMake: {
  name: 'acidns-zone-${uniqueString(zone, environmentName)}'
  scope: resourceGroup(split(zone, '/')[0], split(zone, '/')[1])
  params: {
    name: split(zone, '/')[2]
    tags: allTags
    networkIds: empty(existingSubnetId) ? concat(zoneLinkNetworkIds, [
      network.outputs.id
    ]) : zoneLinkNetworkIds
  }
}]

module systemTopics 'modules/system-topic.bicep' = [for source in sources: {
  name: 'acidns-topic-${uniqueString(source.subscriptionId, environmentName)}'
  scope: resourceGroup(source.subscriptionId, source.resourceGroup)
  params: {
    tags: allTags
    name: empty(source.?systemTopicName ?? '') ? 'evgst-acidns-${environmentName}' : source.systemTopicName
    exists: !empty(source.?systemTopicName ?? '')
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [
    homeGroup
  ]
}]

module deadLetterRoles 'modules/roles-dead-letters.bicep' = [for (source, index) in sources: {
  name: 'acidns-roles-dead-letters-${uniqueString(source.subscriptionId, environmentName)}'
  scope: homeGroup
  params: {
    storageName: storage.outputs.name
    containerName: storage.outputs.deadLetterContainer
    principalId: systemTopics[index].outputs.principalId
  }
}]

module repairDeadLetterRole 'modules/roles-dead-letters.bicep' = if (repairOn) {
  name: 'acidns-roles-dead-letters-repair'
  scope: homeGroup
  params: {
    storageName: storage.outputs.name
    containerName: storage.outputs.deadLetterContainer
    principalId: repairTopic.outputs.principalId
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'acidns-alerts'
  scope: homeGroup
  params: {
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    actionGroupName: names.?actionGroup ?? 'ag-acidns-${environmentName}'
    emails: alertEmails
    existingActionGroupIds: existingActionGroupIds
    enabled: alertsEnabled
  }
  dependsOn: [
    workspaceContent
  ]
}

module workbooks 'generated/workbooks.bicep' = {
  name: 'acidns-workbooks'
  scope: homeGroup
  params: {
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module queryPack 'modules/query-pack.bicep' = {
  name: 'acidns-query-pack'
  scope: homeGroup
  params: {
    location: location
    tags: allTags
    name: names.?queryPack ?? 'pack-acidns-${environmentName}'
  }
}

module furtherProbes 'modules/probe.bicep' = [for item in probes: {
  name: 'acidns-probe-${uniqueString(item.subnetId, environmentName)}'
  params: {
    name: item.name
    subscriptionId: item.?subscriptionId ?? subscription().subscriptionId
    resourceGroupName: item.resourceGroup
    location: item.location
    tags: allTags
    subnetId: item.subnetId
    image: item.image
    registryId: item.?registryId ?? ''
    targets: item.?targets ?? ''
    zoneMap: zoneMap
    aciGroups: aciGroups
    zones: zones
    ruleResourceGroup: home
    ruleName: ingestion.outputs.ruleName
    logsIngestionEndpoint: ingestion.outputs.logsIngestionEndpoint
    immutableId: ingestion.outputs.immutableId
  }
  dependsOn: [
    newZones
  ]
}]

module spoke 'modules/sample-spoke.bicep' = if (sampleSpoke) {
  name: 'acidns-sample-spoke'
  params: {
    location: location
    tags: allTags
    environmentName: environmentName
    functionsNetworkId: split(subnetId, '/subnets/')[0]
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = home
output SERVICE_WRITER_NAME string = writer.outputs.name
output SERVICE_OBSERVER_NAME string = two ? observer.outputs.name : ''
output WRITER_APP_ID string = writer.outputs.id
output OBSERVER_APP_ID string = two ? observer.outputs.id : writer.outputs.id
output WRITER_PRINCIPAL_ID string = writerPrincipalId
output OBSERVER_PRINCIPAL_ID string = observerPrincipalId
output DEAD_LETTER_STORAGE_ID string = storage.outputs.id
output DEAD_LETTER_CONTAINER string = storage.outputs.deadLetterContainer
output EVENT_SOURCES array = sources
output ZONE_MAP object = zoneMap
output REPAIR_TOPIC_NAME string = repairOn ? repairTopic.outputs.name : ''
output WORKSPACE_ID string = monitoring.outputs.workspaceId
output WORKSPACE_CUSTOMER_ID string = monitoring.outputs.workspaceCustomerId
output LOGS_INGESTION_ENDPOINT string = ingestion.outputs.logsIngestionEndpoint
output LOGS_DCR_IMMUTABLE_ID string = ingestion.outputs.immutableId
