// Reading the container groups of one resource group.
param principalIds array
@description('Name (a GUID) of a role that is narrower than Reader; empty: Reader.')
param customRoleName string

var roles = loadJsonContent('../generated/roles.json')

resource groupReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in principalIds: {
  name: guid(resourceGroup().id, principalId, 'container-groups')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', empty(customRoleName) ? roles.reader : customRoleName)
    description: 'Reads the addresses of container groups'
  }
}]
