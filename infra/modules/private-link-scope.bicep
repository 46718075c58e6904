// Joins the workspace and the data collection endpoint to an existing Azure Monitor private link scope.
param scopeName string
param workspaceId string
param endpointId string

resource privateLinkScope 'Microsoft.Insights/privateLinkScopes@2021-07-01-preview' existing = {
  name: scopeName
}

resource workspaceInScope 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-07-01-preview' = {
  parent: privateLinkScope
  name: 'acidns-workspace'
  properties: {
    linkedResourceId: workspaceId
  }
}

resource endpointInScope 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-07-01-preview' = {
  parent: privateLinkScope
  name: 'acidns-endpoint'
  properties: {
    linkedResourceId: endpointId
  }
  dependsOn: [
    workspaceInScope
  ]
}
