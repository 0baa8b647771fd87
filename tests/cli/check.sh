# npuprep check: verdicts, exit status, and the forms for other programs.
. "$(dirname "$0")/lib.sh"
model=$root/examples/ppocr2-cls/model.onnx
mkdir cases && "$BUILD/tests/gen_hostile" cases >table || exit 2
bad=cases/in/undefined.onnx odd=cases/in/escape-name.onnx

run 0 'a sound model' "$N" check "$model"
shows ': valid \(errors: 0'
quiet
run 0 'a sound model and a target' "$N" check "$model" --target int8
shows 'ready for int8'
run 0 'notes' "$N" check -v "$model" --target int8
shows '^note E1522'
# A quantized model against the target it was made for, and against others.
run 0 'quantize' "$N" quantize "$model" --data random:1 --shape x=1,3,48,192 --precision w8a8 --verify none -o q.onnx -q
run 0 'a quantized model' "$N" check q.onnx --target int8
shows 'ready for int8'
echo '{"schema": "npuprep.target/1", "name": "u8", "summary": "x", "activation": {"dtypes": ["uint8"]}}' >u8.json
run 1 'other types' "$N" check q.onnx --target ./u8.json
shows '^error E1524 .*int8 of an activation'
echo '{"schema": "npuprep.target/1", "name": "sym", "summary": "x", "activation": {"dtypes": ["int8"], "symmetric": true}}' >sym.json
run 1 'zero points' "$N" check q.onnx --target ./sym.json
shows '^error E1525'
run 0 'IR version 3 is left behind: weights are no inputs' "$N" quantize cases/in/ir-3.onnx --data random:1 --precision w8a8 --verify none -o old.onnx -q
run 0 'its inputs' "$N" info old.onnx
shows 'IR 7'
run 1 'a broken model' "$N" check "$bad"
shows '^error E0208 .*nowhere'
shows 'not valid'
run 66 'no such file' "$N" check nowhere.onnx
run 69 'no such target' "$N" check "$model" --target nowhere

run 1 'json' "$N" check "$bad" --format json
shows '"id": "E0208"'
shows '"valid": false'
shows '"ready": null'
run 1 'junit' "$N" check "$bad" --format junit
shows '^<testsuites tests="1" failures="1">'
shows '<failure type="E0208"'
run 0 'junit of a sound model' "$N" check "$model" --format junit
shows 'failures="0"'
run 1 'sarif' "$N" check "$bad" --format sarif
shows '"version": "2.1.0"'
shows '"ruleId": "E0208"'
shows '"byteOffset": [0-9]+'
run 1 'github' "$N" check "$bad" --format github
shows '^::error file=cases/in/undefined.onnx,title=E0208::'
run 1 'a form into a file' "$N" check "$bad" --format sarif -o findings.sarif
check 'the file' grep -q E0208 findings.sarif

# A name full of terminal sequences reaches no form as it is.
for format in text json junit sarif github; do
    "$N" check -v --target int8 "$odd" --format $format >"$out" 2>"$err"
    if LC_ALL=C grep -q "$(printf '[\001-\010\013-\037]')" "$out" "$err"; then fail "control characters in $format"; else pass "no control characters in $format"; fi
done

# Signatures: one broken node each. The model: y = OP(x) with an attribute or input too many.
run 0 'two nodes of one name' "$N" check cases/in/node-names.onnx
shows '^warning E1501'
run 0 'NaN in a weight' "$N" check cases/in/nonfinite.onnx
shows "^warning E1510 'w'"
run 1 'an operator of nowhere' "$N" check cases/in/attribute-op.onnx
shows '^error E1507'
run 1 'a domain that is not imported' "$N" check cases/in/domain-missing.onnx
shows '^error E1506'
run 1 'an attribute of nowhere' "$N" check cases/in/attribute-foreign.onnx
shows '^error E1511'
run 1 'an input too many' "$N" check cases/in/input-extra.onnx
shows '^error E1512'
finish
