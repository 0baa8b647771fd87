#!/bin/sh
# nodes.sh DATA: nodes left by `npuprep opt --level 2` on each model of DATA/models against onnxsim and onnxslim, in turn, with the
# seconds and peak RSS of each. All graphs and called functions are counted for everyone; "+" marks operators outside ai.onnx that
# the input lacked. Theirs include starting Python, whose floor (importing onnx, and each tool) is printed first.
# PEER: a Python with onnx, onnxsim and onnxslim. NODES_CACHE: a file that keeps the peers' lines between runs. ONLY: word in the name.
set -eu
data=${1:-../shared} here=$(dirname "$0") npuprep=${NPUPREP:-build/npuprep} peer=${PEER:-} cache=${NODES_CACHE:-} only=${ONLY:-}
[ -d "$data/models" ] || { echo "skipped: no $data/models"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/peers"
if [ -n "$cache" ] && [ -f "$cache" ]; then cp "$cache" "$work/peers"; fi
timed() { # timed COMMAND...: seconds and kilobytes on stdout; its status
    /usr/bin/time -o "$work/time" -f '%e %M' "$@" >"$work/log" 2>&1 || return 1
    tail -1 "$work/time"
}
run_peer() { # TOOL NAME MODEL: appends "NAME TOOL nodes added seconds kilobytes"
    rm -f "$work/peer.onnx"
    if took=$(timed "$peer" "$here/peer/simplify.py" "$1" "$3" "$work/peer.onnx"); then
        echo "$2 $1 $("$peer" "$here/peer/count_nodes.py" "$3" "$work/peer.onnx") $took" >>"$work/peers"
    else
        echo "$2 $1 fails - 0 0" >>"$work/peers"
    fi
}
if [ -n "$peer" ]; then
    for module in onnx onnxsim onnxslim; do
        echo "floor: importing $module: $(timed "$peer" -c "import $module") (s, KB)"
    done
fi
for folder in "$data"/models/*/; do
    name=$(basename "$folder") model=$folder/model.onnx
    case $name in *"$only"*) ;; *) continue ;; esac
    [ -f "$model" ] || continue
    took=$(timed "$npuprep" opt "$model" --level 2 --force -o "$work/ours.onnx" --json="$work/ours.json") || took="0 0"
    nodes=$(sed -n 's/.*"nodes_after": \([0-9]*\).*/\1/p' "$work/ours.json")
    added=-
    [ -z "$peer" ] || added=$("$peer" "$here/peer/count_nodes.py" "$model" "$work/ours.onnx" | cut -d' ' -f2)
    echo "$name npuprep $nodes $added $took" >>"$work/ours"
    for tool in onnxsim onnxslim; do
        if [ -n "$peer" ] && ! grep -q "^$name $tool " "$work/peers"; then run_peer "$tool" "$name" "$model"; fi
    done
done
[ -z "$cache" ] || cp "$work/peers" "$cache"
# One row a model: nodes, then the peers' time and memory as multiples of ours. Both tools' ratios are against the quicker, the smaller.
cat "$work/peers" "$work/ours" | awk '
    { key = $1 SUBSEP $2; nodes[key] = $3; added[key] = $4 == "-" ? "" : "+" $4; s[key] = $5; kb[key] = $6 }
    $2 == "npuprep" { names[++count] = $1 }
    function cell(name, tool) { key = name SUBSEP tool; return key in nodes ? nodes[key] added[key] : "?" }
    function least(array, name,    a, b) { a = array[name, "onnxsim"] + 0; b = array[name, "onnxslim"] + 0; return !a || (b && b < a) ? b : a }
    END {
        printf "%-24s %8s %8s %8s | %7s %9s %9s | %7s %7s\n", "model", "npuprep", "onnxsim", "onnxslim", "s", "sim s", "slim s", "time", "memory"
        for (i = 1; i <= count; i++) {
            n = names[i]; ours = n SUBSEP "npuprep"; peer = least(nodes, n); worse = peer && nodes[ours] + 0 > peer
            above += worse
            ts = least(s, n); tm = least(kb, n)
            printf "%-24s %8s %8s %8s | %7.2f %9.2f %9.2f | %7s %7s%s\n", n, cell(n, "npuprep"), cell(n, "onnxsim"), cell(n, "onnxslim"),
                   s[ours], s[n, "onnxsim"], s[n, "onnxslim"], ts ? sprintf("x%.3f", s[ours] / ts) : "?", tm ? sprintf("x%.3f", kb[ours] / tm) : "?",
                   worse ? "  ABOVE" : ""
            if (ts && s[ours] * 20 > ts) slow++
            if (tm && kb[ours] * 4 > tm) big++
        }
        printf "%d models; more nodes than the better peer: %d; above 1/20 of the quicker peer'"'"'s time: %d; above 1/4 of the smaller one'"'"'s memory: %d\n", count, above, slow, big
    }'
