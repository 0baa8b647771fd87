# Every command has a schema, and its --json fits it. A row: what to run (the first word is the command). Rows run in
# order in one scratch folder, so a later one may read what an earlier one wrote.
. "$(dirname "$0")/lib.sh"
schemas=$root/src/report/schema
example=$root/examples/ppocr2-cls
# MODEL: the example model. DATA: its pictures, with what they need.
model=$example/model.onnx data="--data $example/eval --limit 2 --image-mean 0.5 --image-std 0.5"
sed -e "s#MODEL#$model#g" -e "s#DATA#$data#g" >rows <<'R'
list errors
list targets
list passes
opt MODEL -o out.onnx --force
list ops
list formats
list algos
explain E0001
help
help list
check MODEL
check MODEL --target int8
info MODEL
info MODEL --layers
run MODEL DATA -o out.npz
run MODEL DATA -o profile.npz --profile --engine reference
quantize MODEL DATA -o q/
info q/model.onnx
compare MODEL q/model.onnx DATA --layers --show 2
compare MODEL q/model.onnx DATA --min-sqnr 1000
diff MODEL MODEL
diff MODEL q/model.onnx
debug reduce MODEL -o reduced.onnx --check false
calibrate MODEL DATA -o s.stats --histograms
calibrate stats s.stats
calibrate merge s.stats -o m.stats
R

for c in $(sed -n 's/^CMD.\([a-z0-9]*\),.*/\1/p' "$root/src/cmd/cmds.def"); do
    check "$c has a schema" test -s "$schemas/$c.json"
    check "$c is among the rows" grep -q "^$c\( \|$\)" rows
    "$N" "$c" --no-such-option --json >failed.json 2>"$err"
    check "$c: a failure is a document too" "$BUILD/tests/check_schema" "$schemas/$c.json" failed.json
done
while read -r c rest; do
    "$N" "$c" $rest --json >doc.json 2>messages
    status=$?
    if [ $status -gt 1 ]; then
        fail "$c $rest" && cat messages
        continue
    fi
    check "$c $rest fits its schema" "$BUILD/tests/check_schema" "$schemas/$c.json" doc.json
done <rows
run 0 'stats stands for calibrate stats' "$N" stats s.stats --json
shows '"command": "calibrate"'
run 0 'help of it is that of calibrate' "$N" help merge
shows '^npuprep calibrate:'

# The checker itself can fail.
echo '{"schema": "npuprep.list/1", "version": 1}' >bad.json
run 1 'a document that does not fit' "$BUILD/tests/check_schema" "$schemas/list.json" bad.json
shows '\.version: is not of type string'
shows 'lacks timings'
finish
