#!/bin/sh
# pair.sh LABEL RUNS 'our command' 'peer command': runs both in turn and prints seconds (min, median), peak RSS and
# the ratios ours/peer. Needs /usr/bin/time (Debian: time). Output of the commands goes to /dev/null; a failing
# command ends the comparison with its status. Timings inform; they never gate a test.
set -eu
label=$1 runs=$2 ours=$3 peer=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
one() { # one FILE COMMAND: appends "seconds kilobytes"
    /usr/bin/time -o "$work/now" -f '%e %M' sh -c "$2" >"$work/out" 2>&1 || {
        status=$?
        echo "$label: '$2' ended with $status" >&2
        tail -3 "$work/out" >&2
        exit $status
    }
    tail -1 "$work/now" >>"$1"
}
sh -c "$ours" >/dev/null 2>&1 || true # warm the page cache for both
i=0
while [ $i -lt "$runs" ]; do
    one "$work/ours" "$ours"
    one "$work/peer" "$peer"
    i=$((i + 1))
done
figures() { sort -n "$1" | awk '{s[NR]=$1; if ($2 > m) m=$2} END {printf "%.3f %.3f %.1f\n", s[1], s[int((NR+1)/2)], m/1024}'; }
set -- $(figures "$work/ours") $(figures "$work/peer")
awk -v l="$label" -v a="$1" -v am="$2" -v ar="$3" -v b="$4" -v bm="$5" -v br="$6" 'BEGIN {
    printf "%-28s ours %7.3f s (median %.3f) %7.1f MB | peer %7.3f s (median %.3f) %7.1f MB | time x%.3f  memory x%.3f\n",
           l, a, am, ar, b, bm, br, a / (b > 0 ? b : 1e-9), ar / (br > 0 ? br : 1e-9) }'
