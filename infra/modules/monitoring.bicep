// The workspace and the Application Insights component, new or existing.
param location string
param tags object
param workspaceName string
param existingWorkspaceId string
param applicationInsightsName string
param existingApplicationInsightsId string
param retentionDays int

var newWorkspace = empty(existingWorkspaceId)
var newComponent = empty(existingApplicationInsightsId)

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = if (newWorkspace) {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    features: {
      // Only identities may write: no workspace keys.
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource existingWorkspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = if (!newWorkspace) {
  name: newWorkspace ? 'none' : last(split(existingWorkspaceId, '/'))
  scope: resourceGroup(newWorkspace ? subscription().subscriptionId : split(existingWorkspaceId, '/')[2], newWorkspace ? resourceGroup().name : split(existingWorkspaceId, '/')[4])
}

// Who read what: queries against the workspace.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (newWorkspace) {
  name: 'audit'
  scope: workspace
  properties: {
    workspaceId: workspace.id
    logs: [
      {
        category: 'Audit'
        enabled: true
      }
    ]
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = if (newComponent) {
  name: applicationInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: newWorkspace ? workspace.id : existingWorkspaceId
    IngestionMode: 'LogAnalytics'
    // Telemetry is taken from identities alone: a leaked connection string is worth nothing.
    DisableLocalAuth: true
  }
}

output workspaceId string = newWorkspace ? workspace.id : existingWorkspaceId
output workspaceCustomerId string = newWorkspace ? workspace.properties.customerId : existingWorkspace.properties.customerId
output applicationInsightsId string = newComponent ? component.id : existingApplicationInsightsId
output applicationInsightsName string = newComponent ? applicationInsightsName : last(split(existingApplicationInsightsId, '/'))
