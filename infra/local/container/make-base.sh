#!/bin/sh
# A Debian base with Python, for a machine that cannot pull the public image which the Dockerfile names.
# Needs root, debootstrap and a running engine (DOCKER_HOST is honoured).
set -eu

usage() {
    echo "usage: $0 [--suite bookworm|trixie] [--ca FILE.crt] IMAGE[:TAG]" >&2
    echo "  --suite  bookworm has Python 3.11 (default), trixie has Python 3.13" >&2
    echo "  --ca     a further certificate authority for the base to trust; may be given more than once" >&2
    exit 2
}

suite=bookworm
authorities=""
while [ $# -gt 0 ]; do
    case $1 in
    --suite) [ $# -ge 2 ] || usage; suite=$2; shift 2 ;;
    --ca) [ $# -ge 2 ] || usage; authorities="$authorities $2"; shift 2 ;;
    -*) usage ;;
    *) break ;;
    esac
done
[ $# -eq 1 ] || usage
image=$1

for tool in debootstrap docker; do
    command -v "$tool" >/dev/null || { echo "$0: $tool was not found; on Debian: apt-get install debootstrap docker.io" >&2; exit 1; }
done
[ "$(id -u)" -eq 0 ] || { echo "$0: debootstrap makes device nodes and changes owners; run it as root" >&2; exit 1; }
for authority in $authorities; do
    [ -r "$authority" ] || { echo "$0: $authority: no such readable file" >&2; exit 1; }
done

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 130' INT TERM

debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$root"
for authority in $authorities; do
    # update-ca-certificates reads only names that end in .crt.
    cp "$authority" "$root/usr/local/share/ca-certificates/$(basename "$authority" .crt).crt"
done
[ -z "$authorities" ] || chroot "$root" update-ca-certificates

# The packages' archives and lists are dead weight in an image.
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/var/log/*.log
tar --numeric-owner -C "$root" -c . | docker import --change 'CMD ["python3"]' - "$image"
