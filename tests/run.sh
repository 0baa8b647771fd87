#!/bin/sh
# Runs every unit test in $BUILD/tests/test_* and every tests/cli/*.sh, shows what failed, and ends with the line
# "N passed, M failed" (test cases, not files). BUILD: build folder. DATA: folder of the real models; without it the
# tests that need it print "skipped N" and count for nothing. FULL=1: no sampling. ONLY=word: files with it in the name.
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=${BUILD:-build} DATA=${DATA:-} FULL=${FULL:-} ONLY=${ONLY:-}
case $DATA in '' | /*) ;; *) DATA=$PWD/$DATA ;; esac
export BUILD DATA FULL
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

wanted() { case $(basename "$1") in *"$ONLY"*) return 0 ;; *) return 1 ;; esac; }

# add FILE STATUS PASSED FAILED: a file that ends badly without saying so (a crash) counts as one failure.
add() {
    bad=$4
    [ "$2" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    passed=$((passed + $3)) failed=$((failed + bad))
    skipped=$((skipped + $(sed -n 's/.*skipped \([0-9][0-9]*\).*/\1/p' "$work/out" | awk '{n += $1} END {print n + 0}')))
    if [ "$bad" -ne 0 ]; then
        echo "== $1 failed (status $2)"
        tail -n 60 "$work/out"
    elif [ "$3" -eq 0 ] && ! grep -q skipped "$work/out"; then
        echo "== $1 tested nothing"
        failed=$((failed + 1))
    fi
}

for test in "$BUILD"/tests/test_*; do
    case $test in *.d) continue ;; esac
    [ -x "$test" ] && wanted "$test" || continue
    "$test" >"$work/out" 2>&1
    status=$?
    # cmocka: "[       OK ] name" for each that passed; skipped ones say so and are no pass
    ok=$(grep -c '^\[       OK \]' "$work/out")
    bad=$(grep '^\[  FAILED  \] [^0-9]' "$work/out" | sort -u | wc -l)
    add "$test" "$status" "$ok" "$bad"
done
for test in tests/cli/*.sh; do
    case $test in */lib.sh) continue ;; esac
    [ -f "$test" ] && wanted "$test" || continue
    sh "$test" >"$work/out" 2>&1
    status=$?
    ok=$(grep -c '^ok ' "$work/out")
    bad=$(grep -c '^not ok ' "$work/out")
    add "$test" "$status" "$ok" "$bad"
done
[ "$skipped" -eq 0 ] || echo "skipped $skipped (set DATA=../shared for them)"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
