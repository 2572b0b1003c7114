#!/bin/sh
# In the image's build stage: builds ward with the preset that is named, and leaves under /out what
# goes on: the program, the demo model, a libmicrohttpd of our own, and which packages to install.
set -eu
cd "$(dirname "$0")/../.."
cmake --preset "$1"
ninja -C "build/$1" ward
DESTDIR=/out cmake --install "build/$1" --prefix /usr --strip
install -D -m 644 LICENSE /out/usr/share/doc/ward/copyright

libraries=$(ldd /out/usr/bin/ward | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p')
: >/out/packages
for library in $libraries; do
    case $library in
        /usr/local/lib/libmicrohttpd.so*)
            install -D -m 644 "$library" "/out/usr/local/lib/${library##*/}"
            install -D -m 644 /microhttpd/COPYING /out/usr/share/doc/libmicrohttpd12/copyright
            pkg-config --modversion libmicrohttpd >/out/microhttpd-version ;;
        /usr/local/cuda*) ;; # part of the runtime base
        *) dpkg -S "*/${library##*/}" | sed 's/:.*//' >>/out/packages ;;
    esac
done
sort -u -o /out/packages /out/packages
cat /out/packages
