#!/bin/sh
# Runs once, when an empty volume becomes a database: makes the role that the service works as. It owns the service's
# database and nothing else; the superuser loses its password, so that it gets in through the container's own socket
# only: `docker compose exec user-db psql -U postgres`.
set -e
psql --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 <<'SQL'
\getenv superuser POSTGRES_USER
\getenv database POSTGRES_DB
\getenv role DB_USER
\getenv password DB_PASSWORD
-- A statement that fails is logged as a whole; one of these has the password in it.
SET log_min_error_statement = panic;
CREATE ROLE :"role" LOGIN PASSWORD :'password';
ALTER DATABASE :"database" OWNER TO :"role";
REVOKE ALL ON DATABASE :"database", postgres FROM PUBLIC;
ALTER ROLE :"superuser" PASSWORD NULL;
SQL
