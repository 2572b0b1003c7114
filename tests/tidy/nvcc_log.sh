#!/bin/sh
# A compiler launcher (CMAKE_CUDA_COMPILER_LAUNCHER): runs the command and keeps what it prints beside
# the object, as OBJECT.ptxas, for ptxas.py. On success nothing is printed.
object=
previous=
for word in "$@"; do
    [ "$previous" = -o ] && object=$word
    previous=$word
done
[ -n "$object" ] || exec "$@"
"$@" >"$object.ptxas" 2>&1 && exit 0
status=$?
cat "$object.ptxas" >&2
rm -f "$object.ptxas"
exit $status
