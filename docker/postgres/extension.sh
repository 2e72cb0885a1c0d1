#!/bin/sh
# extension.sh PGMQ_FOLDER TARGET: makes a PostgreSQL extension of the SQL that the pinned package
# `pgmq` ships, so that the server offers the very version that the migrations would install.
set -eu
version=$(cat "$1/sql/VERSION")
mkdir -p "$2"
cp "$1/sql/pgmq.sql" "$2/pgmq--$version.sql"
cat >"$2/pgmq.control" <<CONTROL
comment = 'message queues in PostgreSQL'
default_version = '$version'
schema = 'pgmq'
relocatable = false
CONTROL
