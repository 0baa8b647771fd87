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

run 0 'another opset' "$N" opt chain.onnx -o newer.onnx --opset 18 --level 0 --verify=2 --json=doc.json --force
check 'the result answers the same' grep -q '"same": true' doc.json
run 0 'its opset' "$N" info newer.onnx --json=doc.json --force
check 'the opset is the one asked for' grep -q '"ai.onnx": 18' doc.json
run 0 'back again' "$N" opt newer.onnx -o older.onnx --opset 12 --ir-version 7 --level 0 --verify
shows 'same bits'
run 0 'what it became' "$N" info older.onnx --json=doc.json --force
check 'opset 12' grep -q '"ai.onnx": 12' doc.json
check 'IR version 7' grep -q '"ir_version": 7' doc.json
run 64 'an opset that nobody writes any more' "$N" opt chain.onnx -o no.onnx --opset 7
says 'expected 11 to 25'
run 69 'an IR version that cannot hold the model' "$N" opt chain.onnx -o no.onnx --ir-version 3
says 'need 4'
absent 'nothing is written then' no.onnx
run 0 'folding is within what it may' "$N" opt chain.onnx -o small.onnx --verify=3 --json=doc.json --force
check 'the class of the passes' grep -q '"class": "reassoc"' doc.json
check 'three samples' grep -q '"samples": 3' doc.json
run 64 'verify takes a number' "$N" opt chain.onnx -o no.onnx --verify=many
says 'number of samples'
run 0 'without folding' "$N" opt chain.onnx -o small.onnx --skip fold-batchnorm --json=doc.json --force
check 'all nodes are there' test "$(count)" -eq 30
run 64 'an unknown pass to skip' "$N" opt chain.onnx -o no.onnx --skip fold-batchnrm
says 'fold-batchnorm'
finish
