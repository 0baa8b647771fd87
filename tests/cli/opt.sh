# npuprep opt: levels, passes by name, refusals in the report, nothing changed at level 0.
. "$(dirname "$0")/lib.sh"
"$BUILD/tests/gen_onnx" chain 30 chain.onnx
"$BUILD/tests/gen_onnx" transposes 50 transposes.onnx
count() { sed -n 's/.*"nodes_after": \([0-9]*\).*/\1/p' doc.json; }

run 0 'level 0' "$N" opt chain.onnx -o same.onnx --level 0
same 'level 0 writes the same bytes' chain.onnx same.onnx
run 0 'level 2 folds BatchNormalization' "$N" opt chain.onnx -o small.onnx --json=doc.json --force
check 'a third of the nodes is gone' test "$(count)" -eq 20
run 0 'level 2 again' "$N" opt small.onnx -o again.onnx --json=doc.json --force
check 'nothing is left to do' grep -q '"rewrites": 0' doc.json
check 'and nothing was done' sh -c '! grep -q "\"rewrites\": [1-9]" doc.json'
same 'the bytes are the same' small.onnx again.onnx
run 0 'level 1 leaves what changes bits' "$N" opt chain.onnx -o exact.onnx --level 1 --json=doc.json --force
check 'all nodes are there' test "$(count)" -eq 30
run 0 'passes by name' "$N" opt chain.onnx -o named.onnx --passes fold-batchnorm,dead-code -v
shows "fold-batchnorm: '.*': folded into Conv"
run 64 'an unknown pass' "$N" opt chain.onnx -o no.onnx --passes fold-batchnrm
says "fold-batchnorm"
absent 'an unknown pass writes nothing' no.onnx
run 73 'an output that exists' "$N" opt chain.onnx -o small.onnx
run 66 'an input that is missing' "$N" opt missing.onnx -o no.onnx
run 0 'list passes' "$N" list passes
shows 'fold-batchnorm +reassoc'
finish
