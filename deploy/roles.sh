#!/bin/sh
# Make the roles of the composed database; psql reads passwords from variables, Docker hands them over as files.
set -eu
PGPASSWORD=$(cat "$SECRETS/postgres_password")
OWNER_PASSWORD=$(cat "$SECRETS/owner_password")
APPLICATION_PASSWORD=$(cat "$SECRETS/application_password")
export PGPASSWORD OWNER_PASSWORD APPLICATION_PASSWORD
exec psql --no-psqlrc --quiet --file="$(dirname "$0")/roles.sql"
