#!/bin/sh
# big.sh: a generated 3 GB model with external data and a 1.8 GB single file: info, and a one-node edit, each with its peak anonymous
# memory (VmHWM less file-backed pages is not kept by the kernel after exit, so the peak of RssAnon is sampled) and its time against
# `cat IN > OUT && sync OUT`. Needs 10 GB of disk under ${TMPDIR:-/tmp}.
set -eu
npuprep=${NPUPREP:-build/npuprep} gen=${GEN:-build/tests}/gen_big
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
watch() { # watch COMMAND...: prints "seconds peak-anonymous-kB"
    start=$(date +%s%N)
    "$@" >"$work/log" 2>&1 &
    pid=$! peak=0
    while kill -0 $pid 2>/dev/null; do
        now=$(awk '/RssAnon/ {print $2}' /proc/$pid/status 2>/dev/null || true)
        [ -n "$now" ] && [ "$now" -gt $peak ] && peak=$now
        sleep 0.002
    done
    wait $pid || { echo "big: '$*' failed" >&2; tail -3 "$work/log" >&2; exit 1; }
    echo "$((($(date +%s%N) - start) / 1000000)) ms, $((peak / 1024)) MB anonymous"
}
copy() {
    cat "$1" >"$2"
    sync "$2"
}
for shape in single external; do
    "$gen" $shape "$work/in.onnx"
    echo "$shape: $(du -cm "$work"/in.* | tail -1 | cut -f1) MB"
    echo "  info          $(watch "$npuprep" info "$work/in.onnx")"
    echo "  one-node edit $(watch "$npuprep" opt --passes identity-removal "$work/in.onnx" -o "$work/out.onnx" --force)"
    rm -f "$work"/out*
    for f in "$work"/in.*; do echo "  cat and sync $(basename "$f") $(watch copy "$f" "$work/copy")"; done
    rm -f "$work"/in.* "$work/copy"
done
