// The alert rules of alerts/rules, as `drift infra build` wrote them, and whom they tell. A rule names an urgency, page
// or ticket; what that means here is decided by the parameters.
param location string
param tags object
param workspaceId string
param actionGroupName string
@description('page and ticket: a list of e-mail addresses each.')
param emails object
@description('page and ticket: a list of action group ids each.')
param existingActionGroupIds object
param enabled bool

var rules = loadJsonContent('../generated/alert-rules.json')
var pageEmails = emails.?page ?? []
var ticketEmails = emails.?ticket ?? []

resource page 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(pageEmails)) {
  name: '${actionGroupName}-page'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'dns-page'
    enabled: true
    emailReceivers: [for (email, index) in pageEmails: {
      name: 'mail-${index}'
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

resource ticket 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(ticketEmails)) {
  name: '${actionGroupName}-ticket'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'dns-ticket'
    enabled: true
    emailReceivers: [for (email, index) in ticketEmails: {
      name: 'mail-${index}'
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

var actionGroups = {
  page: concat(existingActionGroupIds.?page ?? [], empty(pageEmails) ? [] : [
    page.id
  ])
  ticket: concat(existingActionGroupIds.?ticket ?? [], empty(ticketEmails) ? [] : [
    ticket.id
  ])
}

resource alertRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: rule.name
  location: location
  tags: union(tags, rule.tags)
  kind: 'LogAlert'
  properties: union(json(rule.properties), {
    enabled: enabled && rule.enabled
    scopes: [
      workspaceId
    ]
    actions: {
      actionGroups: actionGroups[rule.actionGroup]
      customProperties: rule.customProperties
    }
  })
}]

output ruleCount int = length(rules)
