# Subscribes the functions to the events of container groups and record sets; see postdeploy.sh. JSON reaches az through
# a file: PowerShell 5 and 7 pass quotes to programs in different ways.
$ErrorActionPreference = 'Stop'

$parameters = @{
  '$schema'      = 'https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#'
  contentVersion = '1.0.0.0'
  parameters     = @{
    environmentName     = @{ value = $env:AZURE_ENV_NAME }
    eventSources        = @{ value = @($env:EVENT_SOURCES | ConvertFrom-Json) }
    zoneMap             = @{ value = ($env:ZONE_MAP | ConvertFrom-Json) }
    homeResourceGroup   = @{ value = $env:AZURE_RESOURCE_GROUP }
    writerAppId         = @{ value = $env:WRITER_APP_ID }
    observerAppId       = @{ value = $env:OBSERVER_APP_ID }
    deadLetterStorageId = @{ value = $env:DEAD_LETTER_STORAGE_ID }
    deadLetterContainer = @{ value = $env:DEAD_LETTER_CONTAINER }
    repairTopicName     = @{ value = "$env:REPAIR_TOPIC_NAME" }
  }
}
$file = New-TemporaryFile
try {
  $parameters | ConvertTo-Json -Depth 20 | Set-Content -Path $file -Encoding utf8
  # Right after a deployment Azure may not know the functions yet, and refuses to subscribe what it does not know.
  foreach ($attempt in 1..6) {
    az deployment sub create --only-show-errors --output none `
      --name "acidns-events-$env:AZURE_ENV_NAME" `
      --subscription $env:AZURE_SUBSCRIPTION_ID `
      --location $env:AZURE_LOCATION `
      --template-file (Join-Path $PSScriptRoot '../events.bicep') `
      --parameters "@$file"
    if ($LASTEXITCODE -eq 0) { break }
    if ($attempt -lt 6) { Start-Sleep -Seconds 20 }
  }
  if ($LASTEXITCODE -ne 0) { throw 'the functions could not be subscribed to the events; run this hook again' }
}
finally {
  Remove-Item $file
}
Write-Output 'The functions are subscribed to the events.'
