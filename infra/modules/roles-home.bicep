// What the apps may do in their own resource group: send events to the rule, and publish to the repair topic.
param principalIds array
param ruleName string
param repairTopicName string
param repairPrincipalId string

var roles = loadJsonContent('../generated/roles.json')

resource rule 'Microsoft.Insights/dataCollectionRules@2023-03-11' existing = {
  name: ruleName
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = if (!empty(repairTopicName)) {
  name: empty(repairTopicName) ? 'none' : repairTopicName
}

resource eventSender 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in principalIds: {
  name: guid(rule.id, principalId, roles.monitoringMetricsPublisher)
  scope: rule
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.monitoringMetricsPublisher)
    description: 'Sends events to the table'
  }
}]

resource repairSender 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(repairTopicName)) {
  name: guid(topic.id, repairPrincipalId, roles.eventGridDataSender)
  scope: topic
  properties: {
    principalId: repairPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventGridDataSender)
    description: 'Publishes findings of the audit'
  }
}
