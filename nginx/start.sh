#!/bin/sh
# Starts the gateway in a container: fills the template in from the environment, then becomes nginx.
set -eu
mkdir -p "$RUN_DIR"
names=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')
envsubst "$names" < /etc/gateway/nginx.conf.template > "$RUN_DIR/nginx.conf"
sh /etc/gateway/resolve-compat.sh "$RUN_DIR/nginx.conf"
exec nginx -e "$ERROR_LOG" -c "$RUN_DIR/nginx.conf" -g 'daemon off;'
