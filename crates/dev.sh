#!/bin/sh
# Hot reload inside docker-compose.dev.yml.
#
#   dev build           builds all programs, then again whenever a source file changes
#   dev run PROGRAM     runs a program, and starts it afresh whenever a new build of it is there
set -eu
out=/programs

changed_since() { # a file; true if a source is newer
    [ -n "$(find Cargo.toml Cargo.lock crates migrations proto -newer "$1" -type f -print -quit 2>/dev/null)" ]
}

publish() {
    for program in target/debug/*-service target/debug/midtrans-sandbox; do
        [ -x "$program" ] || continue
        name=$(basename "$program")
        if ! cmp -s "$program" "$out/$name"; then
            cp "$program" "$out/.$name.new" && mv "$out/.$name.new" "$out/$name"
            echo "dev: $name is new"
        fi
    done
}

case ${1:-} in
    build)
        while true; do
            touch /tmp/started
            if cargo build --workspace --bins; then
                publish
                touch "$out/.built"
                echo "dev: waiting for changes"
            else
                echo "dev: the build failed; the last good programs go on; waiting for changes"
            fi
            until changed_since /tmp/started; do sleep 1; done
            echo "dev: a source file changed, building"
        done
        ;;
    run)
        program=$out/$2
        until [ -x "$program" ]; do sleep 1; done
        child=
        trap 'kill -TERM "$child" 2>/dev/null; wait "$child"; exit 0' TERM INT
        while true; do
            stamp=$(stat -c %Y.%i "$program")
            "$program" & child=$!
            while [ "$(stat -c %Y.%i "$program")" = "$stamp" ]; do
                # A program that ended by itself, as the local Midtrans does when it is not wanted, is not started again
                # before there is a new build of it.
                sleep 1 & wait $! || true
            done
            echo "dev: restarting $2"
            kill -TERM "$child" 2>/dev/null || true
            wait "$child" || true
        done
        ;;
    *)
        sed -n '2,5p' "$0"
        exit 2
        ;;
esac
