# info: counts, types, MACs on the example model; nested graphs; JSON.
. "$(dirname "$0")/lib.sh"

model=$root/examples/ppocr2-cls/model.onnx
run 0 'info of the example' "$N" info "$model"
shows '^opsets +ai.onnx 11$'
shows '^inputs +x: float\['
shows '^ *Conv +53$'
shows '^shapes +[0-9]+ of [0-9]+ known$'
run 0 'layers with a bound dim' "$N" info "$model" --layers --shape x=1,3,48,192
shows 'Conv +float\[1,8,24,96\] +497,664'
run 0 'JSON' "$N" info "$model" --json --shape x=1,3,48,192
shows '"nodes": 566,'
shows '"Conv": 53'
shows '"q_nodes": 0'
shows '"shape": \[1, 3, 48, 192\]'
shows '"bytes": 585532'
shows '"ends": \[\]'
run 66 'a missing file' "$N" info none.onnx
says 'error E0007'
run 64 'an unknown input for --shape' "$N" info "$model" --shape y=1
finish
