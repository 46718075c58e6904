// What one subscription's system topic delivers: container groups to both functions, record sets to the tracker.
param systemTopicName string
param environmentName string
@description('Resource ids below which container groups are ours; empty: all of the subscription.')
param groupPrefixes array
param reconcileFunctionId string
param trackFunctionId string
param deadLetterStorageId string
param deadLetterContainer string

var eventTypes = [
  'Microsoft.Resources.ResourceWriteSuccess'
  'Microsoft.Resources.ResourceDeleteSuccess'
  'Microsoft.Resources.ResourceActionSuccess'
]
var groupOperations = {
  operatorType: 'StringIn'
  key: 'data.operationName'
  values: [
    'Microsoft.ContainerInstance/containerGroups/write'
    'Microsoft.ContainerInstance/containerGroups/delete'
    'Microsoft.ContainerInstance/containerGroups/start/action'
    'Microsoft.ContainerInstance/containerGroups/stop/action'
    'Microsoft.ContainerInstance/containerGroups/restart/action'
  ]
}
var ourGroups = {
  operatorType: 'StringBeginsWith'
  key: 'subject'
  values: groupPrefixes
}
var groupFilters = empty(groupPrefixes) ? [
  groupOperations
] : [
  groupOperations
  ourGroups
]
var recordOperations = {
  operatorType: 'StringIn'
  key: 'data.operationName'
  values: [
    'Microsoft.Network/privateDnsZones/A/write'
    'Microsoft.Network/privateDnsZones/A/delete'
    'Microsoft.Network/privateDnsZones/AAAA/write'
    'Microsoft.Network/privateDnsZones/AAAA/delete'
    'Microsoft.Network/privateDnsZones/PTR/write'
    'Microsoft.Network/privateDnsZones/PTR/delete'
  ]
}
var deadLetterDestination = {
  endpointType: 'StorageBlob'
  properties: {
    resourceId: deadLetterStorageId
    blobContainerName: deadLetterContainer
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: systemTopicName
}

resource reconcile 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'acidns-${environmentName}-reconcile'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: reconcileFunctionId
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: eventTypes
      advancedFilters: groupFilters
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: deadLetterDestination
    }
  }
}

resource trackGroups 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'acidns-${environmentName}-track-groups'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: trackFunctionId
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: eventTypes
      advancedFilters: groupFilters
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: deadLetterDestination
    }
  }
}

resource trackRecords 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'acidns-${environmentName}-track-records'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: trackFunctionId
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceDeleteSuccess'
      ]
      advancedFilters: [
        recordOperations
      ]
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: deadLetterDestination
    }
  }
}
