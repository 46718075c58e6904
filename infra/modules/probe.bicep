// One further probe with its own identity. Told its targets, it may only send events; otherwise it may also read what
// it asks for.
targetScope = 'subscription'

param name string
param subscriptionId string
param resourceGroupName string
param location string
param tags object
param subnetId string
param image string
param registryId string
param targets string
param zoneMap object
param aciGroups array
param zones array
param ruleResourceGroup string
param ruleName string
param logsIngestionEndpoint string
param immutableId string

var readable = empty(targets)
var readGroups = readable ? aciGroups : []
var readZones = readable ? zones : []

module identity 'probe-identity.bicep' = {
  name: 'acidns-${name}-identity'
  scope: resourceGroup(subscriptionId, resourceGroupName)
  params: {
    name: name
    location: location
    tags: tags
  }
}

module sender 'roles-probe.bicep' = {
  name: 'acidns-${name}-sender'
  scope: resourceGroup(ruleResourceGroup)
  params: {
    ruleName: ruleName
    principalId: identity.outputs.principalId
  }
}

module registry 'roles-registry.bicep' = if (!empty(registryId)) {
  name: 'acidns-${name}-registry'
  scope: resourceGroup(empty(registryId) ? subscriptionId : split(registryId, '/')[2], empty(registryId) ? resourceGroupName : split(registryId, '/')[4])
  params: {
    registryName: empty(registryId) ? 'none' : last(split(registryId, '/'))
    principalId: identity.outputs.principalId
  }
}

module groupRoles 'roles-group.bicep' = [for group in readGroups: {
  name: 'acidns-${name}-group-${uniqueString(group)}'
  scope: resourceGroup(split(group, '/')[0], split(group, '/')[1])
  params: {
    principalIds: [
      identity.outputs.principalId
    ]
    customRoleName: ''
  }
}]

module zoneRoles 'roles-zone.bicep' = [for zone in readZones: {
  name: 'acidns-${name}-zone-${uniqueString(zone)}'
  scope: resourceGroup(split(zone, '/')[0], split(zone, '/')[1])
  params: {
    zoneName: split(zone, '/')[2]
    writerPrincipalIds: []
    readerPrincipalIds: [
      identity.outputs.principalId
    ]
    customWriterRoleName: ''
    customReaderRoleName: ''
  }
}]

module container 'probe-container.bicep' = {
  name: 'acidns-${name}-container'
  scope: resourceGroup(subscriptionId, resourceGroupName)
  params: {
    name: name
    location: location
    tags: tags
    subnetId: subnetId
    image: image
    registryServer: empty(registryId) ? '' : '${last(split(registryId, '/'))}${environment().suffixes.acrLoginServer}'
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    targets: targets
    zoneMap: zoneMap
    logsIngestionEndpoint: logsIngestionEndpoint
    immutableId: immutableId
  }
  dependsOn: [
    sender
    registry
    groupRoles
    zoneRoles
  ]
}
