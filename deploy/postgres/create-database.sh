#!/bin/sh
# Patroni calls this once, on the first primary, with a connection string of the superuser.
set -eu
psql "$1" --no-psqlrc --set ON_ERROR_STOP=1 --set owner="$MOON_DATABASE_OWNER" --set password="$MOON_DATABASE_PASSWORD" <<'SQL'
create role :"owner" login password :'password';
create database moon owner :"owner";
\connect moon
create extension if not exists timescaledb;
SQL
