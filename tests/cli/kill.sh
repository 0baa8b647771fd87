# Saves that are killed, a full disk, a folder that cannot be written: tests/kill.sh with 20 kills each, 200 with FULL=1.
. "$(dirname "$0")/lib.sh"
trap - EXIT
rm -rf "$work"
BUILD=$BUILD exec sh "$root/tests/kill.sh" $([ -n "$FULL" ] && echo 200 || echo 20)
