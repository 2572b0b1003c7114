#!/bin/sh
# In the stage on the runtime base: everything that ward needs to run, and nothing else, as the tree
# /image. Package names and versions stay on record, so that scanners find what is inside.
set -eu
export DEBIAN_FRONTEND=noninteractive
# Loaded by name while it runs, where the base has them; the small ones are what the driver's
# libraries ask for, which NVIDIA's runtime puts into the container.
LATE="libgcc_s.so.1 libdl.so.2 libpthread.so.0 librt.so.1 libcublasLt.so.13"
TREE=/image

apt-get update -qq
# shellcheck disable=SC2046
apt-get install -y -qq --no-install-recommends $(cat /packages) ca-certificates >/dev/null
ldconfig
ward --version

mkdir -p $TREE/etc $TREE/dev $TREE/proc $TREE/sys $TREE/models $TREE/tmp $TREE/usr/bin \
    $TREE/usr/lib $TREE/usr/lib64 $TREE/usr/sbin $TREE/usr/share/doc $TREE/var/lib/dpkg/status.d
chmod 1777 $TREE/tmp
mkdir -p $TREE/etc/ssl/certs # whose certificates webhooks may have
cp -L /etc/ssl/certs/ca-certificates.crt $TREE/etc/ssl/certs/
for name in bin lib lib64 sbin; do ln -s usr/$name $TREE/$name; done
libc=$(ldconfig -p | sed -n 's/.*libc\.so\.6 .*=> //p' | head -n 1)
libraries=$TREE/usr/lib/$(basename "$(dirname "$libc")")
mkdir -p "$libraries"

record() { # record FILE: the package that it came from
    owner=$(dpkg -S "*/$(basename "$(readlink -f "$1")")" 2>/dev/null | head -n 1 | sed 's/:.*//')
    [ -n "$owner" ] || return 0
    dpkg -s "$owner" >"$TREE/var/lib/dpkg/status.d/$owner"
    mkdir -p "$TREE/usr/share/doc/$owner"
    cp -L "/usr/share/doc/$owner/copyright" "$TREE/usr/share/doc/$owner/" 2>/dev/null || true
}

take() { # take FILE: a library into the one folder that the loader searches unasked
    cp -L "$1" "$libraries/${1##*/}"
    record "$1"
}

# ldd: `name => path (address)`, the loader as a bare path, `name => not found`. The driver brings
# libcuda; anything else that is missing would only fail at a clinic.
ldd /usr/bin/ward >/ldd.txt
for name in $LATE; do
    file=$(ldconfig -p | sed -n "s/.*$name .*=> //p" | head -n 1)
    [ -n "$file" ] || continue
    printf '\t%s => %s (late)\n' "$name" "$file" >>/ldd.txt
    ldd "$file" >>/ldd.txt
done
if grep 'not found' /ldd.txt | grep -v 'libcuda\.so'; then exit 1; fi
for file in $(sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' /ldd.txt | sort -u); do take "$file"; done
loader=$(sed -n 's/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' /ldd.txt | head -n 1)
cp -L "$loader" "$TREE$loader"
# Older data-centre drivers run a newer CUDA through these; NVIDIA's runtime looks for them here.
if [ -d /usr/local/cuda/compat ]; then
    mkdir -p $TREE/usr/local/cuda
    cp -a /usr/local/cuda/compat/. $TREE/usr/local/cuda/compat
fi

cp /usr/bin/ward $TREE/usr/bin/
cp -r /usr/share/ward $TREE/usr/share/
cp -r /usr/share/doc/ward $TREE/usr/share/doc/
cp -L /etc/os-release $TREE/etc/
cp /etc/debian_version $TREE/etc/ # tells NVIDIA's runtime which folder the loader searches
echo 'hosts: files dns' >$TREE/etc/nsswitch.conf
echo 'ward:x:10001:10001:ward:/var/lib/ward:/sbin/nologin' >$TREE/etc/passwd
echo 'ward:x:10001:' >$TREE/etc/group
if [ -f /microhttpd-version ]; then
    cp -r /usr/share/doc/libmicrohttpd12 $TREE/usr/share/doc/
    printf 'Package: libmicrohttpd12\nStatus: install ok installed\nVersion: %s\nArchitecture: %s\n' \
        "$(cat /microhttpd-version)" "$(dpkg --print-architecture)" \
        >$TREE/var/lib/dpkg/status.d/libmicrohttpd12
fi

# The state directory apart: COPY --chown owns what it copies, not the folder it copies into.
mkdir -p /state
install -d -m 700 -o 10001 -g 10001 /state/ward

# The tree must stand on its own: its loader, its libraries, nothing of this stage.
chroot $TREE /usr/bin/ward --version
