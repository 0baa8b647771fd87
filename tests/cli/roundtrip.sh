# Every model comes back as the bytes it came as: untouched, and with every message rebuilt.
. "$(dirname "$0")/lib.sh"
rewrite=$BUILD/tests/rewrite

find "$root/examples" -name '*.onnx' >ours
check 'the examples, untouched' sh -c "'$rewrite' <ours"
check 'the examples, rebuilt' sh -c "'$rewrite' --roundtrip <ours"

if [ -d "$DATA/models" ] && [ -d "$DATA/data" ]; then
    find "$DATA/models" -name '*.onnx' >real
    run 0 'the real models, untouched' sh -c "'$rewrite' <real"
    shows '^[0-9]+ identical, 0 stable, 0 failed$'
    run 0 'the real models, rebuilt' sh -c "'$rewrite' --roundtrip <real"
    shows '^[0-9]+ identical, 0 stable, 0 failed$'
    tar xJf "$DATA/data/onnx-node-tests-1.22.0.tar.xz" --wildcards '*/model.onnx' && find . -name model.onnx >nodes
    run 0 'the node suite, untouched' sh -c "'$rewrite' <nodes"
    shows '^1765 identical, 0 stable, 0 failed$'
    run 0 'the node suite, rebuilt' sh -c "'$rewrite' --roundtrip <nodes"
    shows '^1765 identical, 0 stable, 0 failed$'
else
    echo "skipped 4"
fi
finish
