#!/bin/sh
# Hot reload inside docker-compose.dev.yml.
#
#   dev build           builds all programs, then again whenever a source file changes
#   dev run PROGRAM     runs a program, and starts it afresh whenever there is a new one
set -eu

# Looked for, not told: mounted folders do not report changes on every system.
changed() {
    [ -n "$(find Cargo.toml Cargo.lock crates migrations proto -newer /tmp/started -print -quit)" ]
}

build() {
    while true; do
        touch /tmp/started
        if cargo build --locked --workspace --bins; then
            touch /target/.built
            echo "dev: built; waiting for changes"
        else
            echo "dev: the build failed, the programs stay as they are; waiting for changes"
        fi
        until changed; do sleep 1; done
        echo "dev: a file changed"
    done
}

version() {
    stat -c '%i %Y' "$program" 2>/dev/null || true
}

stop() {
    kill -TERM "$child" 2>/dev/null || true
    wait "$child" || true
}

run() {
    trap 'stop; exit 0' TERM INT
    while true; do
        running=$(version)
        "$program" &
        child=$!
        # While the linker works, there is no program at all.
        while new=$(version) && { [ -z "$new" ] || [ "$new" = "$running" ]; }; do
            if ! kill -0 "$child" 2>/dev/null; then
                wait "$child" && exit 0 || exit $?
            fi
            sleep 1 &
            wait $! || true
        done
        echo "dev: starting the new $(basename "$program")"
        stop
    done
}

case ${1:-} in
    build) build ;;
    run) program=$CARGO_TARGET_DIR/debug/$2 && run ;;
    *)
        sed -n '2,5p' "$0"
        exit 2
        ;;
esac
