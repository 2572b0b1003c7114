#!/usr/bin/env bash
# gpu.sh - what `./run gpu` does on a machine with an NVIDIA GPU: device build, device tests, a pass of
# compute-sanitizer, greedy answers against the CPU engine, benchmarks beside their peers, one table.
# Needs CUDA 13, gcc and CMake. What else is missing is left out, with a line that says so.
#
#   WARD_BENCH_RESULTS   folder for table and JSON; default bench/results
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

RESULTS=${WARD_BENCH_RESULTS:-bench/results}
FAILED=0

say() { printf '== %s (%d s)\n' "$*" "$SECONDS" >&2; }
die() { printf 'run gpu: %s\n' "$*" >&2; exit 1; }

name_of_gpu() {
    nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1 | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9-'
}

build() {
    if ! command -v nvcc >/dev/null; then
        [ -d /usr/local/cuda/bin ] && PATH=$PATH:/usr/local/cuda/bin
    fi
    if ! command -v nvcc >/dev/null || ! command -v cmake >/dev/null; then
        [ -x build/cuda/bench_gpu ] || die "needs nvcc and cmake, or a build/cuda that was made elsewhere"
        say "using the build/cuda that is here"
        return
    fi
    say "building build/cuda"
    local generator=Ninja
    command -v ninja >/dev/null || generator="Unix Makefiles"
    [ -f build/cuda/CMakeCache.txt ] || cmake --preset cuda -G "$generator" >&2
    cmake --build build/cuda --parallel "$(nproc)" >build/cuda/build.log 2>&1 ||
        { grep -E 'error|Error|warning' -A 3 build/cuda/build.log | head -n 60 >&2; die "the build failed"; }
}

device_tests() {
    say "device tests"
    ctest --test-dir build/cuda -L gpu --output-on-failure --timeout 120 >build/cuda/ctest.log 2>&1 ||
        { FAILED=1; tail -n 200 build/cuda/ctest.log; }
    grep -E 'tests passed|tests failed' build/cuda/ctest.log || true
}

sanitizers() { # a short test under each tool
    command -v compute-sanitizer >/dev/null || { echo "skipped: compute-sanitizer is not installed"; return; }
    local tool
    for tool in memcheck racecheck synccheck; do
        say "compute-sanitizer $tool"
        timeout 60 compute-sanitizer --tool "$tool" --error-exitcode 9 build/cuda/bench_gpu --tiny \
            >"build/cuda/$tool.log" 2>&1 && echo "$tool: clean" && continue
        case $? in
            9) FAILED=1; echo "$tool: FOUND ERRORS"; grep -m 20 -E '=========' "build/cuda/$tool.log" || true ;;
            124) echo "$tool: no error in 60 s" ;;
            *) echo "$tool: did not run: $(tail -n 1 "build/cuda/$tool.log")" ;;
        esac
    done
}

greedy_equality() {
    if [ ! -x build/cuda/ward ] || ! command -v python3 >/dev/null; then
        echo "skipped: greedy answers of the demo model (build/cuda/ward was left out, or no python3)"
        return
    fi
    say "greedy answers, GPU against CPU"
    python3 bench/gpu/greedy.py build/cuda/ward demo/model || FAILED=1
}

benchmarks() {
    local peers=build/cuda/peers.tsv base
    base="$RESULTS/gpu-$(name_of_gpu)"
    mkdir -p "$RESULTS"
    : >"$peers"
    if python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
        say "peers"
        timeout 200 python3 bench/gpu/peers.py --seconds 120 >"$peers" || true
    else
        echo "skipped: peers (PyTorch with CUDA is not installed)"
    fi
    say "benchmarks"
    build/cuda/bench_gpu --peers "$peers" --json "$base.json" >"$base.txt" || FAILED=1
    cat "$base.txt"
    say "written: $base.txt and $base.json"
}

nvidia-smi -L >/dev/null 2>&1 || die "no NVIDIA GPU answers here (nvidia-smi); ./run bench measures the CPU"
build
device_tests
sanitizers
greedy_equality
benchmarks
[ "$FAILED" -eq 0 ] || die "something failed: see above"
