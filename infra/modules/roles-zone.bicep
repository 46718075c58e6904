// One private DNS zone: who writes its record sets, and who only reads them.
param zoneName string
param writerPrincipalIds array
param readerPrincipalIds array
@description('Name (a GUID) of a role that is narrower than Private DNS Zone Contributor; empty: that one.')
param customWriterRoleName string
@description('Name (a GUID) of a role that is narrower than Reader; empty: Reader.')
param customReaderRoleName string

var roles = loadJsonContent('../generated/roles.json')

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' existing = {
  name: zoneName
}

resource recordWriter 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in writerPrincipalIds: {
  name: guid(zone.id, principalId, 'write')
  scope: zone
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', empty(customWriterRoleName) ? roles.privateDnsZoneContributor : customWriterRoleName)
    description: 'Writes the record sets of container groups'
  }
}]

resource recordReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in readerPrincipalIds: {
  name: guid(zone.id, principalId, 'read')
  scope: zone
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', empty(customReaderRoleName) ? roles.reader : customReaderRoleName)
    description: 'Reads record sets and links'
  }
}]
