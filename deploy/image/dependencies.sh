#!/bin/sh
# In the image's build stage: compilers, the libraries that Ward links, and a libmicrohttpd without
# known holes: the base's own if it is new enough, else Debian's newest source, by its checksum.
set -eu
LEAST=1.0.7
VERSION=1.0.10
SHA256=04bfe8ef75db7d629a33de767599765cecadc56274a39822d5d081030d577685
POOL=pool/main/libm/libmicrohttpd/libmicrohttpd_$VERSION.orig.tar.gz
# Debian's pool drops a version when a newer one comes; its archive keeps every one.
ARCHIVE=http://snapshot.debian.org/archive/debian/20261121T000000Z
export DEBIAN_FRONTEND=noninteractive

apt-get update -qq
apt-get install -y -qq --no-install-recommends gcc g++ make cmake ninja-build pkg-config \
    libgnutls28-dev libjansson-dev libpcre2-dev libutf8proc-dev libyaml-dev libsodium-dev \
    nettle-dev libhiredis-dev libcurl4-gnutls-dev >/dev/null

offered=$(apt-cache policy libmicrohttpd-dev | sed -n 's/ *Candidate: //p')
if dpkg --compare-versions "$offered" ge "$LEAST"; then
    exec apt-get install -y -qq --no-install-recommends libmicrohttpd-dev
fi
echo "libmicrohttpd: the base offers $offered, building $VERSION"
mkdir /microhttpd
cd /microhttpd
for place in "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" "$ARCHIVE"; do
    /usr/lib/apt/apt-helper download-file "$place/$POOL" source.tar.gz "SHA256:$SHA256" && break
done
echo "$SHA256  source.tar.gz" | sha256sum -c -
tar -xzf source.tar.gz --strip-components=1
# What Ward does not use is not compiled in: cookies, forms, HTTP's own passwords, upgrades.
./configure --prefix=/usr/local --disable-static --disable-doc --disable-examples --disable-tools \
    --disable-curl --disable-cookie --disable-postprocessor --disable-bauth --disable-dauth \
    --disable-httpupgrade --enable-https=yes --enable-compiler-hardening \
    --enable-linker-hardening >configure.log || { cat configure.log; exit 1; }
make -j"$(nproc)" >make.log 2>&1 || { tail -n 40 make.log; exit 1; }
make install >make.log
ldconfig
pkg-config --atleast-version="$LEAST" libmicrohttpd
