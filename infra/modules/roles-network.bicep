// Reading the DNS servers of the network that the probe sits in.
param networkName string
param principalId string

var roles = loadJsonContent('../generated/roles.json')

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' existing = {
  name: networkName
}

resource networkReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(network.id, principalId, roles.reader)
  scope: network
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.reader)
    description: 'Reads the DNS servers of the probed network'
  }
}
