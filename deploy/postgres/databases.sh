#!/bin/sh
# Makes the roles and databases, once, when the volume is new: Temporal's own,
# and ours. Neither role can connect to the other's.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
	--set temporal_password="$TEMPORAL_DB_PASSWORD" \
	--set sluice_password="$SLUICE_DB_PASSWORD" <<'SQL'
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE ALL ON DATABASE temporal, temporal_visibility FROM PUBLIC;

CREATE ROLE sluice LOGIN PASSWORD :'sluice_password';
CREATE DATABASE sluice OWNER sluice;
REVOKE ALL ON DATABASE sluice FROM PUBLIC;
SQL
