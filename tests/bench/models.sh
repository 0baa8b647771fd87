#!/bin/sh
# models.sh DATA [NAME...]: every model of DATA/models on its sample against ONNX Runtime: time of one sample with 2 threads, time of 64
# samples, peak RSS of a process that runs one sample, and how near Conv and matrix products come to the machine's peak rate of
# multiply-adds. ORT names libonnxruntime.so (the one in the Python wheel serves). Timings inform; they never gate a test.
# A row: name | us ours, peer, ratio | ms for 64 samples ours, peer, ratio of time and of processor time | MB ours, peer, ratio | share of the peak in Conv, in products.
set -u
data=${1:-../shared} tools=${GEN:-build/tests}
[ $# -gt 0 ] && shift
[ -n "${ORT:-}" ] || { echo "skipped: ORT names no libonnxruntime.so"; exit 0; }
[ -d "$data/models" ] || { echo "skipped: no $data/models"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
megabytes() { # megabytes ours|peer MODEL SAMPLES: the least peak of three processes
    for i in 1 2 3; do
        "$tools/measure" "$tools/bench" "$@" 3>"$work/rss" >/dev/null 2>&1
        awk '$1 == 0 {print $3 / 1024}' "$work/rss"
    done | sort -n | head -1
}
one() { # one NAME
    model=$data/models/$1/model.onnx samples=$data/models/$1/in.npz
    [ -f "$model" ] || return 0
    [ -f "$samples" ] || samples=random:1
    "$tools/bench" time "$model" "$samples" >"$work/time" 2>"$work/why" || { echo "$1: skipped, $(tail -1 "$work/why")" >&2; return 0; }
    set -- "$1" $(cat "$work/time") "$(megabytes ours "$model" "$samples")" "$(megabytes peer "$model" "$samples")" \
        $("$tools/bench" flops "$model" "$samples" "$peak" 2>/dev/null)
    echo "$*" >>"$work/rows"
    echo "$*" | awk '{printf "%-24s %9.1f %9.1f x%-6.2f %8.2f %8.2f x%-5.2f x%-5.2f %6.1f %6.1f x%-5.2f %5.1f%% %5.1f%%\n",
        $1, $2, $3, $2 / $3, $4 / 1e3, $5 / 1e3, $4 / $5, $6 / $7, $8, $9, $8 / $9, 100 * $12, 100 * $15}'
}
median() { sort -n | awk '{v[NR] = $1} END {printf "%.2f (most %.2f)", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2, v[NR]}'; }
peak=$("$tools/bench" peak)
echo "peak: $(awk -v p="$peak" 'BEGIN {printf "%.1f", p / 1e9}') G multiply-adds/s, 2 threads; $(uptime | sed 's/.*load/load/')"
[ $# -gt 0 ] || set -- $(ls "$data/models")
for name in "$@"; do one "$name"; done
[ -s "$work/rows" ] || exit 0
echo "time above 0.2 ms: ratio $(awk '$3 > 200 {print $2 / $3}' "$work/rows" | median)"
echo "below: us more     $(awk '$3 <= 200 {print $2 - $3}' "$work/rows" | median)"
echo "64 samples: ratio  $(awk '{print $4 / $5}' "$work/rows" | median)"
echo "  processor time   $(awk '{print $6 / $7}' "$work/rows" | median)"
echo "memory: ratio      $(awk '{print $8 / $9}' "$work/rows" | median)"
