#!/usr/bin/env bash
# Each header compiles alone: it includes what it needs. Usage: headers.sh (from the root)
set -u
flags="-std=c17 -D_GNU_SOURCE -DWARD_VERSION=\"0\" -I. -Wall -Wextra -Werror -fsyntax-only -x c"
flags="$flags $(pkg-config --cflags jansson libpcre2-8 libutf8proc gnutls libmicrohttpd)"
failed=0
for header in $(git ls-files -co --exclude-standard -- '*.h'); do
    [ -f "$header" ] || continue
    # shellcheck disable=SC2086
    printf '#include "%s"\n' "$header" | gcc $flags - || { echo "$header: does not compile alone"; failed=1; }
done
exit $failed
