#!/bin/sh
# Subscribes the functions to the events of container groups and record sets. azd gives the outputs of main.bicep as
# environment variables. Running it again changes nothing.
set -eu

subscribe() {
  az deployment sub create \
    --only-show-errors \
    --output none \
    --name "acidns-events-${AZURE_ENV_NAME}" \
    --subscription "${AZURE_SUBSCRIPTION_ID}" \
    --location "${AZURE_LOCATION}" \
    --template-file "$(dirname "$0")/../events.bicep" \
    --parameters \
      environmentName="${AZURE_ENV_NAME}" \
      eventSources="${EVENT_SOURCES}" \
      zoneMap="${ZONE_MAP}" \
      homeResourceGroup="${AZURE_RESOURCE_GROUP}" \
      writerAppId="${WRITER_APP_ID}" \
      observerAppId="${OBSERVER_APP_ID}" \
      deadLetterStorageId="${DEAD_LETTER_STORAGE_ID}" \
      deadLetterContainer="${DEAD_LETTER_CONTAINER}" \
      repairTopicName="${REPAIR_TOPIC_NAME:-}"
}

# Right after a deployment Azure may not know the functions yet, and refuses to subscribe what it does not know.
attempt=1
until subscribe; do
  if [ "$attempt" -ge 6 ]; then
    echo "The functions could not be subscribed to the events; run this hook again: $0" >&2
    exit 1
  fi
  attempt=$((attempt + 1))
  sleep "${ACIDNS_RETRY_SECONDS:-20}"
done
echo "The functions are subscribed to the events."
