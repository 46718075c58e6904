// The sample spoke's resources: 10.251.0.0/24, names in aci.sample.internal, addresses in 0.251.10.in-addr.arpa.
param location string
param tags object
param functionsNetworkId string

resource rules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-spoke-aci'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'nothing-from-outside'
        properties: {
          priority: 4096
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'vnet-spoke'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        '10.251.0.0/24'
      ]
    }
    subnets: [
      {
        name: 'aci'
        properties: {
          addressPrefix: '10.251.0.0/25'
          networkSecurityGroup: {
            id: rules.id
          }
          delegations: [
            {
              name: 'aci'
              properties: {
                serviceName: 'Microsoft.ContainerInstance/containerGroups'
              }
            }
          ]
        }
      }
    ]
  }
}

module forward 'private-zone.bicep' = {
  name: 'acidns-sample-forward'
  params: {
    name: 'aci.sample.internal'
    tags: tags
    networkIds: [
      network.id
      functionsNetworkId
    ]
  }
}

module reverse 'private-zone.bicep' = {
  name: 'acidns-sample-reverse'
  params: {
    name: '0.251.10.in-addr.arpa'
    tags: tags
    networkIds: [
      network.id
      functionsNetworkId
    ]
  }
}

resource groups 'Microsoft.ContainerInstance/containerGroups@2023-05-01' = [for name in [
  'web'
  'api'
]: {
  name: name
  location: location
  tags: tags
  properties: {
    osType: 'Linux'
    restartPolicy: 'Always'
    sku: 'Standard'
    ipAddress: {
      type: 'Private'
      ports: [
        {
          protocol: 'TCP'
          port: 80
        }
      ]
    }
    subnetIds: [
      {
        id: network.properties.subnets[0].id
      }
    ]
    containers: [
      {
        name: name
        properties: {
          image: 'mcr.microsoft.com/azuredocs/aci-helloworld:latest'
          ports: [
            {
              protocol: 'TCP'
              port: 80
            }
          ]
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
}]
