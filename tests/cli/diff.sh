# diff: equal models, a rewritten one, JSON, exit statuses.
. "$(dirname "$0")/lib.sh"

model=$root/examples/ppocr2-cls/model.onnx
run 0 'a model against itself' "$N" diff "$model" "$model"
shows '^no difference$'
run 0 'a rewrite' "$N" opt "$model" -o small.onnx
run 1 'the rewrite against the original' "$N" diff "$model" small.onnx
shows '^~ node +.*BatchNormalization -> Conv'
shows '^\+ tensor '
shows '^nodes: 18 added, [0-9]+ removed' # a HardSigmoid for each hard swish
run 1 'JSON' "$N" diff "$model" small.onnx --json
shows '"different": true'
shows '"change": "removed"'
run 66 'a missing file' "$N" diff "$model" none.onnx
run 64 'one file only' "$N" diff "$model"
head -c 1000 "$model" >cut.onnx
run 65 'a damaged file' "$N" diff "$model" cut.onnx
finish
