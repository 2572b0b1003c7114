#!/usr/bin/env bash
# image.sh [cpu|cuda] - builds the container image, then proves it: starts it as operators do (not
# root, read-only root file system, no capabilities) with the demo model, asks it over HTTPS, runs
# its health check, stops it with SIGTERM, and prints size, start-up time and memory.
#
# With a Docker engine it uses that. Without one it builds the cpu target with buildah (chroot
# isolation) on a base made by debootstrap, and starts it in namespaces of its own; everything is
# kept under build/image (4 GiB at most before it starts over). Called by ./run image.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

TARGET=${1:-cpu}
KEEP=$PWD/build/image
NAME=ward:$TARGET
BASE=localhost/ward-base:bookworm
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org}
START_SECONDS_MAX=60
KEEP_MIB_MAX=4096
TRIAL=$(mktemp -d /tmp/ward-image.XXXXXX)
PORT=$((20000 + RANDOM % 10000))

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'image: %s\n' "$*" >&2; exit 1; }
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
mib() { awk -v bytes="$1" 'BEGIN {printf "%.1f MiB", bytes / 1048576}'; }

BUILD_ARGUMENTS=(--target "$TARGET" --tag "$NAME"
    --build-arg "REVISION=$(git describe --always --dirty 2>/dev/null || echo unknown)"
    --build-arg "DEBIAN_MIRROR=$MIRROR/debian")

# ---- with a Docker engine --------------------------------------------------------------------

docker_build() { docker build "${BUILD_ARGUMENTS[@]}" . >&2; }
docker_bytes() { docker image inspect --format '{{.Size}}' "$NAME"; }

docker_start() {
    local gpus=()
    [ "$TARGET" = cuda ] && nvidia-smi -L >/dev/null 2>&1 && gpus=(--gpus all)
    CONTAINER=$(docker run --detach --read-only --cap-drop ALL --security-opt no-new-privileges \
        --publish "127.0.0.1:$PORT:8443" "${gpus[@]}" "$NAME" demo --json)
}
docker_lives() { [ "$(docker inspect --format '{{.State.Running}}' "$CONTAINER")" = true ]; }
docker_said() { docker logs "$CONTAINER" 2>/dev/null; }
docker_errors() { { docker logs "$CONTAINER" >/dev/null; } 2>&1; }
docker_run() { docker exec "$CONTAINER" "$@"; }
docker_ca() { docker cp "$CONTAINER:$1" "$2" >/dev/null 2>&1; }
docker_memory() { docker stats --no-stream --format '{{.MemUsage}}' "$CONTAINER"; }
docker_check() { # the engine answers for what it was told; that the image names the user is ours
    [ "$(docker inspect --format '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}}' "$CONTAINER")" = \
        "10001:10001 true" ] || die "the server does not run as user 10001, read-only"
}
docker_stop() { # leaves the exit code in CODE
    docker stop -t 40 "$CONTAINER" >/dev/null
    CODE=$(docker inspect --format '{{.State.ExitCode}}' "$CONTAINER")
}
docker_clean() { [ -z "${CONTAINER:-}" ] || docker rm --force --volumes "$CONTAINER" >/dev/null; }

# ---- without one -----------------------------------------------------------------------------

store() { buildah --storage-driver "$DRIVER" --root "$KEEP/$DRIVER" --runroot "$KEEP/run" "$@"; }

# overlay is several times faster, but does not work on top of every file system.
choose_driver() {
    local container
    for DRIVER in overlay vfs; do
        mkdir -p "$KEEP/$DRIVER"
        container=$(store from scratch 2>/dev/null) || continue
        if store mount "$container" >/dev/null 2>&1; then
            store rm "$container" >/dev/null
            return
        fi
        store rm "$container" >/dev/null 2>&1 || true
    done
    die "buildah can store no image under $KEEP"
}

# What Docker's debian:12-slim holds: a minimal system with security updates.
make_base() {
    local tree="$KEEP/base" container suite
    store inspect --type image "$BASE" >/dev/null 2>&1 && return
    say "making the base image with debootstrap (once)"
    rm -rf "$tree"
    debootstrap --variant=minbase bookworm "$tree" "$MIRROR/debian" >"$KEEP/debootstrap.log" ||
        { tail -n 20 "$KEEP/debootstrap.log" >&2; die "debootstrap failed"; }
    for suite in "debian bookworm" "debian bookworm-updates" "debian-security bookworm-security"; do
        echo "deb $MIRROR/$suite main"
    done >"$tree/etc/apt/sources.list"
    rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*
    container=$(store from scratch)
    store add --quiet "$container" "$tree" / >/dev/null
    store commit --quiet "$container" "$BASE" >/dev/null
    store rm "$container" >/dev/null
    rm -rf "$tree"
}

buildah_build() {
    [ "$TARGET" = cpu ] ||
        die "the cuda target needs a Docker engine: its bases are NVIDIA's images; none runs here"
    [ "$(id -u)" -eq 0 ] || die "without a Docker engine this needs root (chroot, mount)"
    choose_driver
    # Layers of older builds pile up: start over before they fill a disk.
    if [ "$(du -sm "$KEEP/$DRIVER" | cut -f1)" -gt "$KEEP_MIB_MAX" ]; then
        store rm --all >/dev/null
        store rmi --prune >/dev/null
    fi
    make_base
    say "building $NAME with buildah, log: build/image/build.log"
    store build --isolation chroot --format docker --layers "${BUILD_ARGUMENTS[@]}" \
        --build-arg "CPU_BUILD_IMAGE=$BASE" --build-arg "CPU_RUNTIME_IMAGE=$BASE" \
        . >"$KEEP/build.log" 2>&1 || { tail -n 40 "$KEEP/build.log" >&2; die "the build failed"; }
}
buildah_bytes() { du -sb "$ROOT" | cut -f1; }

# As an engine would: its own mount and process namespaces, the image read-only, the state volume
# as the only place to write, the image's user, environment and entry point, no capabilities.
IN_NAMESPACES='
    root=$1 state=$2; shift 2
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount -o remount,bind,ro,nosuid,nodev "$root"
    mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
    mount --bind "$state" "$root/var/lib/ward"
    exec setpriv --no-new-privs chroot --userspec="$USERSPEC" --groups= "$root" "$@"'

buildah_start() {
    local entry
    CONTAINER=$(store from --pull-never "$NAME")
    ROOT=$(store mount "$CONTAINER")
    USERSPEC=$(store inspect --type image --format '{{.Docker.Config.User}}' "$NAME")
    entry=$(store inspect --type image --format '{{index .Docker.Config.Entrypoint 0}}' "$NAME")
    readarray -t ENVIRONMENT < <(store inspect --type image \
        --format '{{range .Docker.Config.Env}}{{println .}}{{end}}' "$NAME" | grep .)
    # The network is this machine's: loopback only, and ports that nothing else uses.
    ENVIRONMENT+=("WARD_SERVER_ADDRESS=127.0.0.1" "WARD_SERVER_PORT=$PORT"
        "WARD_SERVER_ADMIN_PORT=$((PORT + 1))")
    # A new volume gets owner and mode of the image's directory.
    cp -a "$ROOT/var/lib/ward" "$TRIAL/state"
    env -i "${ENVIRONMENT[@]}" USERSPEC="$USERSPEC" unshare --mount --pid --fork --kill-child \
        bash -c "$IN_NAMESPACES" ward-image "$ROOT" "$TRIAL/state" "$entry" demo --json \
        >"$TRIAL/said" 2>"$TRIAL/errors" &
    OUTER=$!
}
buildah_lives() { kill -0 "$OUTER" 2>/dev/null; }
buildah_said() { cat "$TRIAL/said"; }
buildah_errors() { cat "$TRIAL/errors"; }
buildah_pid() { awk '{print $1}' "/proc/$OUTER/task/$OUTER/children"; }
buildah_run() { # as `docker exec` does: the same namespaces, root, user and environment
    env -i "${ENVIRONMENT[@]}" nsenter --target "$(buildah_pid)" --mount --pid --root --wd=/ \
        --setuid "${USERSPEC%:*}" --setgid "${USERSPEC#*:}" "$@"
}
buildah_ca() { cp "$TRIAL/state/${1#/var/lib/ward/}" "$2"; }
buildah_memory() {
    awk '/^VmRSS/ {now = $2} /^VmHWM/ {most = $2}
        END {printf "%.1f MiB now, %.1f MiB at most\n", now / 1024, most / 1024}' \
        "/proc/$(buildah_pid)/status"
}
buildah_check() { # the process that serves is what the image promises
    local pid
    pid=$(buildah_pid)
    grep -qE '^Uid:\s+10001\s' "/proc/$pid/status" || die "the server runs as another user"
    grep -qE '^CapEff:\s+0+$' "/proc/$pid/status" || die "the server has capabilities"
    grep -qE '^NoNewPrivs:\s+1$' "/proc/$pid/status" || die "the server may gain privileges"
    grep -qE '^[0-9]+ [0-9]+ [0-9:]+ \S* / ro' "/proc/$pid/mountinfo" ||
        die "the root file system can be written"
}
buildah_stop() {
    kill -TERM "$(buildah_pid)"
    CODE=0
    wait "$OUTER" || CODE=$?
}
buildah_clean() {
    if [ -n "${OUTER:-}" ] && kill -KILL "$OUTER" 2>/dev/null; then wait "$OUTER" 2>/dev/null; fi
    [ -z "${CONTAINER:-}" ] || store rm "$CONTAINER" >/dev/null
}

# ---- the proof -------------------------------------------------------------------------------

said() { "${ENGINE}_said" | grep -m 1 '^{' || true; }
told() { python3 -c 'import json, sys; print(eval("json.load(sys.stdin)" + sys.argv[1]))' "$1" <<<"$TOLD"; }

ask() { # one chat request with the CA and the key that the server printed
    "${ENGINE}_ca" "$(told '["ca_file"]')" "$TRIAL/ca.pem"
    printf 'Authorization: Bearer %s\n' "$(told '["keys"]["demo-clinic-a"]')" >"$TRIAL/headers"
    printf '{"model":"%s","temperature":0,"max_tokens":48,"messages":[{"role":"user",%s}]}' \
        "$(told '["model"]')" '"content":"How can I sleep better?"' >"$TRIAL/request"
    curl --silent --show-error --fail --max-time 60 --cacert "$TRIAL/ca.pem" \
        --header "@$TRIAL/headers" --header 'Content-Type: application/json' \
        --data "@$TRIAL/request" "https://127.0.0.1:$PORT/v1/chat/completions" >"$TRIAL/answer" ||
        die "the chat request failed"
    python3 -c 'import json, sys
print(json.load(sys.stdin)["choices"][0]["message"]["content"])' <"$TRIAL/answer" >"$TRIAL/text"
    [ -s "$TRIAL/text" ] || die "the answer is empty"
}

wait_until_ready() { # wait_until_ready START_MS: leaves what it said in TOLD
    until TOLD=$(said) && [ -n "$TOLD" ]; do
        if ! "${ENGINE}_lives" || [ $(($(now_ms) - $1)) -ge $((START_SECONDS_MAX * 1000)) ]; then
            "${ENGINE}_errors" >&2
            die "it did not become ready"
        fi
        sleep 0.02
    done
}

prove() {
    local start ready_ms answer_ms stop_ms bytes memory health
    say "starting $NAME"
    start=$(now_ms)
    "${ENGINE}_start"
    wait_until_ready "$start"
    ready_ms=$(($(now_ms) - start))
    health=$("${ENGINE}_run" /usr/bin/ward doctor --ready) || die "the health check failed"
    start=$(now_ms)
    ask
    answer_ms=$(($(now_ms) - start))
    "${ENGINE}_check"
    ! "${ENGINE}_run" /bin/sh -c : 2>/dev/null || die "there is a shell in the image"
    ! "${ENGINE}_errors" | grep -q 'event=library.old' || die "libmicrohttpd is an old one"
    bytes=$("${ENGINE}_bytes")
    memory=$("${ENGINE}_memory")
    start=$(now_ms)
    "${ENGINE}_stop"
    stop_ms=$(($(now_ms) - start))
    [ "$CODE" -eq 0 ] || { "${ENGINE}_errors" >&2; die "it ended with $CODE after SIGTERM"; }
    cat <<REPORT
image          $NAME, built with $ENGINE
size           $(mib "$bytes")
ready after    $ready_ms ms (from nothing: certificate, keys, model)
chat answer    $answer_ms ms over HTTPS: $(head -c 60 "$TRIAL/text")...
memory         $memory
health check   $health
confinement    user 10001, no capabilities, no new privileges, root file system read-only, no shell
SIGTERM        clean exit after $stop_ms ms
REPORT
}

clean() {
    "${ENGINE}_clean" || true
    rm -rf "$TRIAL"
}

case $TARGET in cpu | cuda) ;; *) die "no such target: $TARGET (cpu, cuda)" ;; esac
if docker info >/dev/null 2>&1; then ENGINE=docker; else ENGINE=buildah; fi
trap clean EXIT
start_s=$SECONDS
"${ENGINE}_build"
build_s=$((SECONDS - start_s))
prove
echo "build          $build_s s"
