// The event subscriptions. Deployed after the code, because they name functions; azd does it in its postdeploy hook.
targetScope = 'subscription'

metadata description = 'Subscriptions of the function apps to the events of container groups and of private DNS record sets.'

@description('Name of the environment, as in main.bicep.')
@minLength(2)
@maxLength(20)
param environmentName string

@description('Output EVENT_SOURCES of main.bicep.')
param eventSources array

@description('As in main.bicep.')
param zoneMap object

@description('As in main.bicep: where the repair topic is.')
param homeResourceGroup string

@description('Id of the function app with reconcile.')
param writerAppId string

@description('Id of the function app with track.')
param observerAppId string

@description('Id of the storage account for events that are given up.')
param deadLetterStorageId string

@description('Its container.')
param deadLetterContainer string

@description('The custom topic of REPAIR=publish; empty: there is none.')
param repairTopicName string = ''

// Only events of configured resource groups are asked for, as long as they fit Event Grid's 25 values for all filters.
// A key without a subscription stands for the resource group of that name in each of them.
var entries = items(zoneMap)
var filtered = length(entries) <= 15

module subscriptions 'modules/event-subscriptions.bicep' = [for source in eventSources: {
  name: 'acidns-events-${uniqueString(source.subscriptionId, environmentName)}'
  scope: resourceGroup(source.subscriptionId, source.resourceGroup)
  params: {
    systemTopicName: empty(source.?systemTopicName ?? '') ? 'evgst-acidns-${environmentName}' : source.systemTopicName
    environmentName: environmentName
    groupPrefixes: filtered ? map(entries, entry => contains(entry.key, '/') ? '/subscriptions/${split(entry.key, '/')[0]}/resourceGroups/${split(entry.key, '/')[1]}/' : '/subscriptions/${source.subscriptionId}/resourceGroups/${entry.key}/') : []
    reconcileFunctionId: '${writerAppId}/functions/reconcile'
    trackFunctionId: '${observerAppId}/functions/track'
    deadLetterStorageId: deadLetterStorageId
    deadLetterContainer: deadLetterContainer
  }
}]

module repair 'modules/repair-subscription.bicep' = if (!empty(repairTopicName)) {
  name: 'acidns-events-repair'
  scope: resourceGroup(homeResourceGroup)
  params: {
    topicName: empty(repairTopicName) ? 'none' : repairTopicName
    reconcileFunctionId: '${writerAppId}/functions/reconcile'
    deadLetterStorageId: deadLetterStorageId
    deadLetterContainer: deadLetterContainer
  }
}
