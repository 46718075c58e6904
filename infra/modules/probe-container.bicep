// The probe as a container group in a network that the function apps are not in.
param name string
param location string
param tags object
param subnetId string
param image string
param registryServer string
param identityId string
param identityClientId string
param targets string
param zoneMap object
param logsIngestionEndpoint string
param immutableId string

resource probe 'Microsoft.ContainerInstance/containerGroups@2023-05-01' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    osType: 'Linux'
    restartPolicy: 'Always'
    sku: 'Standard'
    subnetIds: [
      {
        id: subnetId
      }
    ]
    imageRegistryCredentials: empty(registryServer) ? [] : [
      {
        server: registryServer
        identity: identityId
      }
    ]
    containers: [
      {
        name: 'probe'
        properties: {
          image: image
          command: [
            'python'
            '-m'
            'cli'
            'probe'
            '--watch'
            '--every'
            '300'
          ]
          environmentVariables: concat([
            {
              name: 'AZURE_CLIENT_ID'
              value: identityClientId
            }
            {
              name: 'DNS_ZONE_MAP'
              value: string(zoneMap)
            }
            {
              name: 'LOGS_INGESTION_ENDPOINT'
              value: logsIngestionEndpoint
            }
            {
              name: 'LOGS_DCR_IMMUTABLE_ID'
              value: immutableId
            }
            {
              name: 'PROBE_VANTAGE'
              value: split(subnetId, '/subnets/')[0]
            }
            {
              name: 'PROBE_SUBNET'
              value: last(split(subnetId, '/'))
            }
          ], empty(targets) ? [] : [
            {
              name: 'PROBE_TARGETS'
              value: targets
            }
          ])
          resources: {
            requests: {
              cpu: 1
              memoryInGB: 1
            }
          }
        }
      }
    ]
  }
}
