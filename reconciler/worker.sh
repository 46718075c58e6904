#!/bin/bash
# Entry of the reconciler's worker: checks the contract, then becomes the Python worker.
#
# The caller builds this environment from nothing (reconciler/process.py); whatever is missing or malformed here is a bug
# or an attack, and ends the run before anything is read from Azure. Exit codes follow sysexits.h:
#   0 done   64 bad contract   75 try again   78 bad configuration   1 anything else
set -u -o pipefail
export LC_ALL=C.UTF-8

refuse() {
  printf 'worker.sh: %s\n' "$1" >&2
  exit 64
}

# require NAME PATTERN: the variable is set and all of it matches the extended regular expression. In the C locale, or
# [a-z] would be what the machine's alphabet says; without a subshell, of which twenty cost 10 ms.
require() {
  local name=$1 pattern=$2 LC_ALL=C
  [[ -n ${!name+set} ]] || refuse "$name is not set"
  [[ ${!name} =~ ^($pattern)$ ]] || refuse "$name is malformed: $(printf '%q' "${!name:0:100}")"
}

name='[A-Za-z0-9_.()-]{1,90}'
zone='[a-z0-9_-]+(\.[a-z0-9_-]+)+'

require SUBSCRIPTION_ID '[A-Za-z0-9][A-Za-z0-9-]{0,63}'
require RESOURCE_GROUP "$name"
require CONTAINER_GROUP '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
require LIVE_STATE 'running|absent|stopped|no_private_ip|not_ready'
require LIVE_IP '[0-9a-f.:]{0,45}'
require FORWARD_ZONE "$zone"
require REVERSE_ZONES "($zone(,$zone)*)?"
require ZONES_SUBSCRIPTION_ID '[A-Za-z0-9][A-Za-z0-9-]{0,63}'
require ZONES_RESOURCE_GROUP "$name"
require TTL_SECONDS '[1-9][0-9]{0,9}'
require OWNERSHIP 'adopt|strict'
require ON_STOP 'remove|keep'
require ARM_ENDPOINT 'https://[][A-Za-z0-9.:-]+(/[A-Za-z0-9._~/-]*)?'
require DEADLINE_SECONDS '[0-9]{1,5}(\.[0-9]{1,6})?'
require ATTEMPTS '[1-9][0-9]?'
require DRY_RUN '0|1'
require TOKEN_FD '[0-9]{1,4}'
require PYTHON_BIN '/.+'
require PYTHONPATH '/.+'

[[ -x $PYTHON_BIN ]] || refuse "PYTHON_BIN is not a program"
[[ -e /dev/fd/$TOKEN_FD ]] || refuse "TOKEN_FD names no open file descriptor"

# -P: the working directory is not on the path; -S: nor is any site, so that PYTHONPATH alone says what is loaded.
exec "$PYTHON_BIN" -P -S -m reconciler.worker_main
