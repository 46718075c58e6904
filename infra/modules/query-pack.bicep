// The queries of kql/queries, for people who work in the portal.
param location string
param tags object
param name string

var queries = loadJsonContent('../generated/queries.json')

resource pack 'Microsoft.OperationalInsights/queryPacks@2025-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {}
}

@batchSize(5)
resource packed 'Microsoft.OperationalInsights/queryPacks/queries@2025-07-01' = [for query in queries: {
  parent: pack
  name: guid(pack.id, query.name)
  properties: {
    displayName: query.displayName
    description: query.description
    body: query.body
    related: {
      categories: [
        'network'
      ]
      resourceTypes: [
        'microsoft.operationalinsights/workspaces'
      ]
    }
    tags: {
      toolkit: [
        'aci-dns-truth'
      ]
    }
  }
}]
