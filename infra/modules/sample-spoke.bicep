// Something to try it with: a spoke network, its two zones and two container groups.
targetScope = 'subscription'

param location string
param tags object
param environmentName string
param functionsNetworkId string

resource spokeGroup 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-acidns-${environmentName}-spoke'
  location: location
  tags: tags
}

module spoke 'sample-spoke-resources.bicep' = {
  name: 'acidns-sample-spoke-resources'
  scope: spokeGroup
  params: {
    location: location
    tags: tags
    functionsNetworkId: functionsNetworkId
  }
}
