#!/bin/sh
# make-secrets.sh DIR [REDIS_UID] [WARD_UID] - once: a password for Ward's Redis user in
# DIR/redis-password, and Redis's users with its hash in DIR/users.acl. A second run keeps both.
# Root without capabilities but CHOWN can do it: a file gets its owner when its bytes are in it.
set -eu
directory=$1 redis_uid=${2:-999} ward_uid=${3:-10001}
[ ! -e "$directory/users.acl" ] || exit 0

password=$(head -c 32 /dev/urandom | sha256sum | cut -d' ' -f1)
hash=$(printf %s "$password" | sha256sum | cut -d' ' -f1)
chmod 711 "$directory"
rm -f "$directory/redis-password" "$directory/draft"
umask 277
printf '%s\n' "$password" >"$directory/redis-password"
chown "$ward_uid" "$directory/redis-password"
sed "s/WARD_PASSWORD_SHA256/$hash/" "$(dirname "$0")/users.acl" >"$directory/draft"
chown "$redis_uid" "$directory/draft"
mv "$directory/draft" "$directory/users.acl" # last: it says that both are there
