#!/bin/sh
# kill.sh [N]: kills a save with SIGKILL at N random moments (default 200), then N more while it replaces a good model with external
# data. After each kill the output is absent or whole; over a good one, the old or the new model loads with every byte. Then a full
# disk (a small tmpfs, when this may mount one) and a folder that cannot be written. Needs $BUILD/tests/{resave,gen_big}.
set -u
cd "$(dirname "$0")/.." || exit 2
N=${1:-200}
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
resave=$BUILD/tests/resave
work=$(mktemp -d) || exit 2
trap 'umount "$work/disk" 2>/dev/null; chmod 755 "$work"/closed 2>/dev/null; rm -rf "$work"' EXIT
failures=0
pass() { echo "ok $1"; }
fail() {
    echo "not ok $1"
    failures=$((failures + 1))
}

mkdir "$work/in" "$work/out" && "$BUILD/tests/gen_big" external "$work/in/m.onnx" 128 || exit 2
new=$("$resave" --check "$work/in/m.onnx") || exit 2

# Microseconds a whole save takes, to spread the kills over.
began=$(date +%s%N)
"$resave" "$work/in/m.onnx" "$work/out/m.onnx" always || exit 2
span=$((($(date +%s%N) - began) / 1000))
rm -f "$work"/out/*

# kill_once INPUT: one save that dies after a random part of the span. A prime step walks over it evenly.
moment=0
kill_once() {
    moment=$(((moment + 7368787) % (span + span / 2)))
    timeout -s KILL "$(printf '0.%06d' "$moment")" "$resave" "$1" "$work/out/m.onnx" always >/dev/null 2>&1
}

absent=0 whole=0 bad=0
for i in $(seq "$N"); do
    kill_once "$work/in/m.onnx"
    if [ ! -e "$work/out/m.onnx" ]; then
        absent=$((absent + 1))
    elif [ "$("$resave" --check "$work/out/m.onnx" 2>&1)" = "$new" ]; then
        whole=$((whole + 1))
    else
        bad=$((bad + 1))
    fi
    rm -f "$work"/out/* "$work"/out/.[!.]*
done
echo "writing, killed $N times: $absent absent, $whole whole, $bad neither"
[ $bad -eq 0 ] && pass "a killed save leaves nothing or all" || fail "a killed save leaves nothing or all"

# A second model with other weights: the same generator with another size.
mkdir "$work/other" && "$BUILD/tests/gen_big" external "$work/other/m.onnx" 64
old=$("$resave" --check "$work/other/m.onnx")
olds=0 news=0 bad=0
"$resave" "$work/other/m.onnx" "$work/out/m.onnx" always
for i in $(seq "$N"); do
    kill_once "$work/in/m.onnx"
    seen=$("$resave" --check "$work/out/m.onnx" 2>&1)
    case $seen in
    "$old") olds=$((olds + 1)) ;;
    "$new")
        news=$((news + 1))
        rm -f "$work"/out/* "$work"/out/.[!.]*
        "$resave" "$work/other/m.onnx" "$work/out/m.onnx" always
        ;;
    *) bad=$((bad + 1)) && echo "   $seen" ;;
    esac
done
echo "replacing, killed $N times: $olds old, $news new, $bad neither"
[ $bad -eq 0 ] && pass "a killed save over a good model leaves the old or the new" || fail "a killed save over a good model"
rm -f "$work"/out/* "$work"/out/.[!.]*

mkdir "$work/disk" "$work/closed"
if mount -t tmpfs -o size=32m tmpfs "$work/disk" 2>/dev/null; then
    "$resave" "$work/other/m.onnx" "$work/disk/m.onnx" always 2>"$work/message"
    status=$?
    [ $status -eq 74 ] && [ -z "$(ls -A "$work/disk")" ] && pass "a full disk leaves nothing" || {
        fail "a full disk leaves nothing (status $status)"
        ls -lA "$work/disk"
    }
    grep -q 'E0011' "$work/message" && pass "a full disk is said" || fail "a full disk is said"
    umount "$work/disk"
else
    echo "skipped 2 (no tmpfs can be mounted)"
fi

# root writes into a folder without permission all the same: only an immutable place stops it
if [ "$(id -u)" -ne 0 ]; then
    chmod 555 "$work/closed"
    place=$work/closed
else
    place=/proc/self
fi
"$resave" "$work/in/m.onnx" "$place/m.onnx" always 2>"$work/message"
status=$?
[ $status -eq 73 ] && pass "a read-only folder is refused" || fail "a read-only folder is refused (status $status)"
grep -q 'E0010' "$work/message" && pass "a read-only folder is said" || fail "a read-only folder is said"
exit $((failures > 0))
