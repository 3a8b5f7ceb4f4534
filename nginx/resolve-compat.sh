#!/bin/sh
# For an nginx older than 1.27.3, which cannot look up the servers of an upstream block again: lets the rendered
# configuration name the hosts in proxy_pass instead. start.sh runs it; with a newer nginx it changes nothing.
set -eu
conf=$1
version=$(nginx -v 2>&1 | sed -n 's,^nginx version: [^/]*/\([0-9.]*\).*,\1,p')
oldest=$(printf '%s\n' 1.27.3 "$version" | sort -t. -k1,1n -k2,2n -k3,3n | head -n1)
if [ "$oldest" = 1.27.3 ] || ! grep -q ' resolve;' "$conf"; then
    exit 0
fi
hosts=$(sed -n 's/^ *upstream \([a-z]*\) .* server \([^ ]*\) .*/s!^\\( *map "" $\1_service *{ default \\)\1;!\\1\2;!/p' "$conf")
changed=$(sed -e '/# upstreams begin/,/# upstreams end/d' -e "$hosts" "$conf")
printf '%s\n' "$changed" > "$conf"
