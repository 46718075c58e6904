// What is ours inside the workspace: the table and the functions. Both are generated from their one definition
// (core/events.py, kql/functions).
param workspaceName string
param retentionDays int

var columns = loadJsonContent('../generated/table.json')
var functions = loadJsonContent('../generated/functions.json')

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource table 'Microsoft.OperationalInsights/workspaces/tables@2025-07-01' = {
  parent: workspace
  name: 'AciDnsEvents_CL'
  properties: {
    plan: 'Analytics'
    retentionInDays: retentionDays
    schema: {
      name: 'AciDnsEvents_CL'
      columns: columns
    }
  }
}

// One after the other: a function may call another, and concurrent writes of saved searches conflict.
@batchSize(1)
resource savedSearches 'Microsoft.OperationalInsights/workspaces/savedSearches@2025-07-01' = [for function in functions: {
  parent: workspace
  name: function.name
  properties: {
    category: 'ACI DNS'
    displayName: function.displayName
    functionAlias: function.name
    functionParameters: empty(function.parameters) ? null : function.parameters
    query: function.query
    version: 2
  }
  dependsOn: [
    table
  ]
}]

output tableName string = table.name
