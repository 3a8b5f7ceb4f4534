#!/bin/sh
# Starts the gateway in a container: fills the template in from the environment, then becomes nginx.
set -eu
umask 077
mkdir -p "$RUN_DIR"
sh /etc/gateway/render.sh > "$RUN_DIR/nginx.conf"
sh /etc/gateway/resolve-compat.sh "$RUN_DIR/nginx.conf"
exec nginx -e "$ERROR_LOG" -c "$RUN_DIR/nginx.conf" -g 'daemon off;'
