// Roles narrower than the built-in ones; generated from infra/roles.yaml.
targetScope = 'subscription'

@description('Subscriptions in which the roles can be assigned, by id.')
param assignableScopes array

var definitions = loadJsonContent('../generated/custom-roles.json')

resource customRoles 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for definition in definitions: {
  name: guid(subscription().id, definition.key)
  properties: {
    roleName: '${definition.name} (${take(subscription().subscriptionId, 8)})'
    description: definition.description
    type: 'CustomRole'
    permissions: [
      {
        actions: definition.actions
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
    assignableScopes: assignableScopes
  }
}]

output groupReaderName string = guid(subscription().id, 'group-reader')
output recordReaderName string = guid(subscription().id, 'record-reader')
output recordWriterName string = guid(subscription().id, 'record-writer')
