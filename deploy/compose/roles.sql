-- The first start of an empty database: the roles. Passwords come from secrets, which psql reads by itself.

\set netqoe_password `cat /run/secrets/netqoe-database-password`
\set grafana_password `cat /run/secrets/grafana-database-password`

CREATE ROLE netqoe LOGIN PASSWORD :'netqoe_password';
CREATE DATABASE netqoe OWNER netqoe ENCODING 'UTF8' TEMPLATE template0;

-- Who may edit a panel of Grafana may send any SQL: as a role that only reads.
CREATE ROLE grafana LOGIN PASSWORD :'grafana_password';
GRANT pg_read_all_data TO grafana;
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '10s';
