// The data collection rule that takes the events. A rule of kind Direct has an ingestion endpoint of its own; a data
// collection endpoint is made only where ingestion goes through a private link scope.
param location string
param tags object
param ruleName string
param endpointName string
param workspaceId string
param privateLinkScopeId string

var stream = 'Custom-AciDnsEvents'
var private = !empty(privateLinkScopeId)
var streamColumns = loadJsonContent('../generated/stream.json')

resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2023-03-11' = if (private) {
  name: endpointName
  location: location
  tags: tags
  properties: {
    networkAcls: {
      publicNetworkAccess: 'Disabled'
    }
  }
}

resource rule 'Microsoft.Insights/dataCollectionRules@2023-03-11' = {
  name: ruleName
  location: location
  tags: tags
  kind: private ? null : 'Direct'
  properties: {
    description: 'Outcomes of reconciliations, drift, probes and audits of container groups in private DNS.'
    dataCollectionEndpointId: private ? endpoint.id : null
    streamDeclarations: {
      '${stream}': {
        columns: streamColumns
      }
    }
    destinations: {
      logAnalytics: [
        {
          name: 'workspace'
          workspaceResourceId: workspaceId
        }
      ]
    }
    dataFlows: [
      {
        streams: [
          stream
        ]
        destinations: [
          'workspace'
        ]
        transformKql: 'source'
        outputStream: 'Custom-AciDnsEvents_CL'
      }
    ]
  }
}

// Rows that the rule refuses: table DCRLogErrors.
resource ruleErrors 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'errors'
  scope: rule
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'LogErrors'
        enabled: true
      }
    ]
  }
}

output ruleName string = rule.name
output ruleId string = rule.id
output immutableId string = rule.properties.immutableId
output logsIngestionEndpoint string = private ? endpoint.properties.logsIngestion.endpoint : rule.properties.endpoints.logsIngestion
output endpointId string = private ? endpoint.id : ''
