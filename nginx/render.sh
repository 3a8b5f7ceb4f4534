#!/bin/sh
# Prints nginx.conf: nginx.conf.template with its variables filled in from the environment. Both start.sh, in a
# container, and `stack up` call it.
#
#   GATEWAY_BIND      an address to listen on beside 127.0.0.1; 0.0.0.0: all of them
#   GATEWAY_PORT      the port to listen on
#   TRUSTED_PROXIES   addresses and networks (10.0.0.0/8) of proxies in front of the gateway, separated by commas
#
# and all that the head of the template explains.
set -eu
cd "$(dirname "$0")"

refuse() {
    echo "gateway: $*" >&2
    exit 1
}

is_address() {
    printf '%s\n' "$1" | grep -Eqx '[0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*'
}

is_network() {
    is_address "${1%/*}" && case $1 in */*) printf '%s\n' "${1##*/}" | grep -Eqx '[0-9]{1,3}' ;; esac
}

has_ipv6() {
    grep -qs '^0\{31\}1 ' /proc/net/if_inet6
}

# A directive for each address.
listen() {
    is_address "$GATEWAY_BIND" || refuse "GATEWAY_BIND must be an address such as 0.0.0.0, not '$GATEWAY_BIND'"
    {
        echo 127.0.0.1
        ! has_ipv6 || echo '[::1]'
        case $GATEWAY_BIND in
            0.0.0.0 | ::) echo 0.0.0.0 && { ! has_ipv6 || echo '[::]'; } ;;
            *:*) echo "[$GATEWAY_BIND]" ;;
            *) echo "$GATEWAY_BIND" ;;
        esac
    } | sort -u | sed "s/.*/listen &:$GATEWAY_PORT;/"
}

real_ip_from() {
    for proxy in $(printf '%s' "$TRUSTED_PROXIES" | tr ',' ' '); do
        is_network "$proxy" || refuse "TRUSTED_PROXIES: '$proxy' is neither an address nor a network such as 10.0.0.0/8"
        echo "set_real_ip_from $proxy;"
    done
}

LISTEN=$(listen)
REAL_IP_FROM=$(real_ip_from)
export LISTEN REAL_IP_FROM

# What was filled in is not read again: a value may contain anything.
awk '{
    line = $0
    out = ""
    while (match(line, /[$][{][A-Z_]+[}]/)) {
        name = substr(line, RSTART + 2, RLENGTH - 3)
        if (!(name in ENVIRON)) {
            print "gateway: " name " is not set" > "/dev/stderr"
            exit 1
        }
        out = out substr(line, 1, RSTART - 1) ENVIRON[name]
        line = substr(line, RSTART + RLENGTH)
    }
    print out line
}' nginx.conf.template
