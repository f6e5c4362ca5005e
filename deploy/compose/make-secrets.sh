#!/bin/sh
# Makes the secrets of compose.yml, in the folder `secrets` beside this file or in the one that is given: random passwords and tokens, and a
# certificate for localhost that nobody has signed. Replace server.crt and server.key by ones for your name.
set -eu

folder=${1:-$(dirname "$0")/secrets}
# Nobody else enters it. Fails if it is there, so that no password is replaced that a database already has.
mkdir -m 700 "$folder"
cd "$folder"

random() {
    openssl rand -hex 24
}

reader=$(random)
probe=$(random)
nats=$(random)
netqoe_database=$(random)

# The first token reads and sends for all clients: sign in to the page with it. The second one sends events of the client `compose`.
printf '%s\n%s=compose\n' "$reader" "$probe" >tokens
printf '%s' "$reader" >prometheus-token
printf '%s' "$probe" >probe-token

printf '%s' "$nats" >nats-password
printf 'users: [ { user: "netqoe", password: "%s" } ]\n' "$nats" >nats-users.conf

random >postgres-password
printf '%s' "$netqoe_database" >netqoe-database-password
random >grafana-database-password
printf '"netqoe" "%s"\n' "$netqoe_database" >pgbouncer-users
printf '[aggregate]\ndatabase_url = "postgres://netqoe:%s@pgbouncer:6432/netqoe"\n' "$netqoe_database" >netqoe.toml

random >grafana-admin-password

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout server.key -out server.crt 2>/dev/null

# Each container has a user of its own, and sees only the files that it is given. The folder keeps users of this machine out.
chmod 444 ./*
