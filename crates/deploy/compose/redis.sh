#!/bin/sh
# Starts Redis in a container. Its configuration comes through standard input: what is on a command line, every process
# of the machine can read.
set -eu
umask 077
requirepass=$(printf '%s' "$REDIS_PASSWORD" | sed 's/[\\"]/\\&/g; s/.*/requirepass "&"/')
exec docker-entrypoint.sh redis-server - <<EOF
bind * -::*
protected-mode no
dir /data
appendonly yes
appendfsync everysec
maxmemory 384mb
maxmemory-policy noeviction
$requirepass
EOF
