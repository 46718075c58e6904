#!/bin/sh
# Removes the role assignments of the apps' identities: they lie on zones and resource groups that stay. Without this
# they would remain as assignments of an unknown principal.
set -eu

for principal in "${WRITER_PRINCIPAL_ID:-}" "${OBSERVER_PRINCIPAL_ID:-}"; do
  [ -n "$principal" ] || continue
  az role assignment list --all --only-show-errors --subscription "${AZURE_SUBSCRIPTION_ID}" \
    --assignee "$principal" --query '[].id' --output tsv |
    while IFS= read -r assignment; do
      az role assignment delete --only-show-errors --ids "$assignment"
    done
done
echo "The role assignments of the function apps are removed."
