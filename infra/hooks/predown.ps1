# Removes the role assignments of the apps' identities; see predown.sh.
$ErrorActionPreference = 'Stop'

foreach ($principal in @($env:WRITER_PRINCIPAL_ID, $env:OBSERVER_PRINCIPAL_ID) | Where-Object { $_ } | Select-Object -Unique) {
  $assignments = az role assignment list --all --only-show-errors --subscription $env:AZURE_SUBSCRIPTION_ID `
    --assignee $principal --query '[].id' --output tsv
  foreach ($assignment in $assignments) {
    az role assignment delete --only-show-errors --ids $assignment
  }
}
Write-Output 'The role assignments of the function apps are removed.'
