#!/bin/sh
# Brings the tables of the Temporal server up to the version of this image. The
# databases are there already. Running it again changes nothing.
set -eu

# The password comes in SQL_PASSWORD.
tool() {
	db=$1
	shift
	temporal-sql-tool --plugin postgres12 --endpoint postgres --port 5432 --user temporal --database "$db" "$@"
}

for db in temporal temporal_visibility; do
	tool "$db" setup-schema -v 0.0
done
tool temporal update-schema -d /etc/temporal/schema/postgresql/v12/temporal/versioned
tool temporal_visibility update-schema -d /etc/temporal/schema/postgresql/v12/visibility/versioned
