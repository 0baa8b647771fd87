# debug reduce: down to one node, to two that belong together, what the check may say, what is left behind.
. "$(dirname "$0")/lib.sh"

model=$root/examples/ppocr2-cls/model.onnx
mkdir tmp
TMPDIR=$work/tmp
export TMPDIR N
run 0 'the one node that a check objects to' "$N" debug reduce "$model" -o one.onnx --shape x=1,3,48,192 \
    --check '! "$N" info {} --json | grep -q "\"Softmax\""'
shows '^one.onnx: 1 of 566 nodes still fail, after [0-9]+ checks$'
run 0 'it is a model' "$N" check one.onnx
run 0 'that runs' "$N" run one.onnx --data random:1 -o one.npz
run 0 'it holds that node' "$N" info one.onnx
shows '^Softmax +1$'

cat >both.sh <<'S'
"$N" info "$1" >said || exit 0
grep -q '^Softmax ' said && grep -q '^ *Conv ' said && exit 3
exit 0
S
run 0 'two operators far apart' "$N" debug reduce "$model" -o two.onnx --shape x=1,3,48,192 --check 'sh both.sh'
shows '^two.onnx: 2 of 566 nodes'
run 0 'the same again' "$N" debug reduce "$model" -o again.onnx --shape x=1,3,48,192 --check 'sh both.sh'
same 'gives the same file' two.onnx again.onnx
run 73 'an output that is there' "$N" debug reduce "$model" -o two.onnx --check false

run 1 'a check that passes' "$N" debug reduce "$model" -o none.onnx --check true
says 'error E0023'
absent 'nothing is written then' none.onnx
run 64 'a check that is no command' "$N" debug reduce "$model" -o none.onnx --check ./no-such-command
says 'error E0024'
run 64 'no check' "$N" debug reduce "$model" -o none.onnx
says "error E0019"
run 64 'another action' "$N" debug reduse "$model" -o none.onnx --check false
says "reduce"
run 66 'a missing model' "$N" debug reduce none.onnx -o small.onnx --check false
empty_folder 'no temporary folder is left' tmp
finish
