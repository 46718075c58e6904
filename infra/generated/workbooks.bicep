// Written by `drift infra build` from the files in workbooks/. Do not edit.
param location string
param tags object
param workspaceId string

var workbooks = [
  {
    name: 'container-group'
    displayName: 'ACI DNS: container group'
    description: 'One container group: its addresses, what DNS says of it, what was changed and why, how it resolves from each virtual network, and what its containers did meanwhile.'
    content: replace(replace(loadTextContent('../../workbooks/container-group.workbook'), '"aci-dns/fleet"', '"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'fleet'))}"'), '"aci-dns/reverse-dns"', '"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'reverse-dns'))}"')
  }
  {
    name: 'fleet'
    displayName: 'ACI DNS: fleet'
    description: 'What is wrong now, how bad, since when, and whether it is being repaired. If everything is empty, look at the workspace and the time range first, then at *Pipeline*: no data is not the same as no drift.'
    content: replace(replace(replace(loadTextContent('../../workbooks/fleet.workbook'), '"aci-dns/container-group"', '"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'container-group'))}"'), '"aci-dns/pipeline"', '"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'pipeline'))}"'), '"aci-dns/reverse-dns"', '"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'reverse-dns'))}"')
  }
  {
    name: 'pipeline'
    displayName: 'ACI DNS: pipeline'
    description: 'Whether the toolkit itself works: does every part report, do rows arrive, are events delivered, and what does it cost. No drift on the page *Fleet* means something only while all is well here.'
    content: replace(replace(replace(loadTextContent('../../workbooks/pipeline.workbook'), '"aci-dns/container-group"', '"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'container-group'))}"'), '"aci-dns/fleet"', '"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'fleet'))}"'), '"aci-dns/reverse-dns"', '"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'reverse-dns'))}"')
  }
  {
    name: 'reverse-dns'
    displayName: 'ACI DNS: reverse DNS and links'
    description: 'Whether every virtual network sees the zones, and gets the right answer. Records can be right and nobody sees them: a zone that is not linked to the asking network answers NXDOMAIN, and so does one behind a longer zone.'
    content: replace(replace(replace(loadTextContent('../../workbooks/reverse-dns.workbook'), '"aci-dns/container-group"', '"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'container-group'))}"'), '"aci-dns/fleet"', '"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'fleet'))}"'), '"aci-dns/pipeline"', '"${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, 'pipeline'))}"')
  }
]

resource deployed 'Microsoft.Insights/workbooks@2023-06-01' = [for workbook in workbooks: {
  name: guid(resourceGroup().id, workbook.name)
  location: location
  tags: union(tags, {
    'hidden-title': workbook.displayName
  })
  kind: 'shared'
  properties: {
    displayName: workbook.displayName
    description: workbook.description
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspaceId
    // The parameter Workspace is bound to this workspace; left alone it is the first one that a reader may see.
    serializedData: string(union(json(workbook.content), {
      fallbackResourceIds: [
        workspaceId
      ]
      items: map(json(workbook.content).items, item => item.type == 9 ? union(item, {
        content: union(item.content, {
          parameters: map(item.content.parameters, each => each.name == 'Workspace' ? union(each, {
            value: workspaceId
          }) : each)
        })
      }) : item)
    }))
  }
}]

output workbookIds array = [for (workbook, index) in workbooks: deployed[index].id]
