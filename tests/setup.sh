#!/bin/sh
# setup.sh [check]: installs what building (and with "check", testing) needs and is not there yet. Debian 12 and 13 and
# their derivatives, as root or with sudo; does nothing when all is there. Elsewhere it names the packages.
set -eu
build='make gcc libc6-dev pkg-config|pkgconf protobuf-c-compiler libprotobuf-c-dev libzip-dev libjansson-dev libpng-dev
libjpeg62-turbo-dev|libjpeg-dev libxxhash-dev zlib1g-dev nettle-dev libdnnl-dev'
check='libcmocka-dev'
[ "${1:-}" = check ] && build="$build $check"

if ! command -v dpkg-query >/dev/null; then
    echo "this is no Debian: make sure that these packages or their like are installed: $(echo $build)" >&2
    exit 0
fi
installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }
missing=
for choice in $build; do
    first=${choice%%|*} found=
    for package in $(echo "$choice" | tr '|' ' '); do
        if installed "$package"; then found=1; fi
    done
    [ -n "$found" ] || missing="$missing $first"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "missing packages, and neither root nor sudo to install them:$missing" >&2
        exit 1
    }
    as_root=sudo
fi
echo "installing$missing" >&2
$as_root apt-get update -q >/dev/null
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
