#!/bin/sh
# linear.sh: seconds per node of load + fold + quantize structure + save on generated chains, which should not grow. Ranges come from
# statistics made before: no sample runs.
# Prints (time - time of a 3-node model) / nodes for each size, the ratio of the largest to the smallest, and the time of 1,000 nodes.
set -eu
npuprep=${NPUPREP:-build/npuprep} gen=${GEN:-build/tests}/gen_onnx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
best() { # best COMMAND...: the least of five wall times, in ms
    i=0 least=
    while [ $i -lt 5 ]; do
        start=$(date +%s%N)
        "$@" >"$work/log" 2>&1 || { echo "linear: '$*' failed" >&2; tail -3 "$work/log" >&2; exit 1; }
        took=$((($(date +%s%N) - start) / 1000))
        if [ -z "$least" ] || [ "$took" -lt "$least" ]; then least=$took; fi
        i=$((i + 1))
    done
    echo "$least"
}
ranges_of() { # MODEL: statistics of one tiny sample, so that no sample runs while the clock does
    "$npuprep" calibrate "$1" --data random:1 -f -q -o "$work/ranges.stats" >/dev/null
}
work_of() { # MODEL: load, fold, quantize, save: two models, encodings, two reports
    "$npuprep" quantize "$1" --stats "$work/ranges.stats" --precision w8a8 --verify none --force -o "$work/out.onnx" -q
}
"$gen" chain 3 "$work/empty.onnx"
ranges_of "$work/empty.onnx"
base=$(best work_of "$work/empty.onnx")
echo "empty model: $base us"
first= last=
for n in 1000 10000 30000 100000; do
    "$gen" chain $n "$work/chain.onnx"
    ranges_of "$work/chain.onnx"
    us=$(best work_of "$work/chain.onnx")
    per=$(awk -v t="$us" -v b="$base" -v n=$n 'BEGIN {printf "%.3f", (t - b) / n}')
    echo "$n nodes: $us us, $per us per node"
    [ $n = 10000 ] && first=$per
    last=$per
done
awk -v a="$first" -v b="$last" 'BEGIN {printf "100,000 against 10,000 nodes: x%.2f per node\n", b / a}'
