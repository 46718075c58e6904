// A private DNS zone and its links. Autoregistration is for virtual machines, and stays off.
param name string
param tags object
param networkIds array

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {}
}

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for networkId in networkIds: {
  parent: zone
  name: 'link-${uniqueString(networkId)}'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: networkId
    }
  }
}]

output id string = zone.id
