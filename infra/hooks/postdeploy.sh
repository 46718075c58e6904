#!/bin/sh
# Subscribes the functions to the events of container groups and record sets. azd gives the outputs of main.bicep as
# environment variables. Running it again changes nothing.
set -eu

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
echo "The functions are subscribed to the events."
