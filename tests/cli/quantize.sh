# quantize: its three output forms, the same bytes every time, gates, statistics instead of data, refusals.
. "$(dirname "$0")/lib.sh"

M=$root/examples/ppocr2-cls/model.onnx
D=$root/examples/ppocr2-cls/calib
E=$root/examples/ppocr2-cls/eval
IMAGE="--image-scale 255 --image-mean 0.5 --image-std 0.5"
q() { "$N" quantize "$M" --data "$D" $IMAGE "$@"; }

run 0 'into a folder' q -o out
shows '^w8a8 for int8: [0-9]+ nodes quantized'
shows '^save_infer_model/scale_0.tmp_1: SQNR .* \(8 calibration samples\)'
shows '^written to out/model.onnx'
quiet
for f in model.onnx model.float.onnx model.encodings report.json report.html; do
    check "$f is there" test -s out/$f
done
check 'nothing else is' test "$(ls -A out | wc -l)" -eq 5
run 0 'the float model runs' "$N" run out/model.float.onnx --data "$E" $IMAGE -o float.npz
run 0 'the quantized model runs' "$N" run out/model.onnx --data "$E" $IMAGE -o quantized.npz

# the same bytes
mkdir elsewhere
run 0 'one thread, another place' q -o elsewhere/other -t 1
for f in model.onnx model.float.onnx model.encodings report.json report.html; do
    same "the same $f" out/$f elsewhere/other/$f
done
run 0 'as files' q -o m.onnx
for f in .onnx .float.onnx .encodings .report.json .report.html; do
    check "m$f is there" test -s m$f
done
same 'the same model' out/model.onnx m.onnx
check 'nothing is left over' test -z "$(ls -d .m* m.onnx.parts* 2>/dev/null)"
run 0 'as an archive' q -o a.zip
TZ=Asia/Tokyo run 0 'as an archive in Tokyo' q -o b.zip -t 2
same 'the same archive' a.zip b.zip
SOURCE_DATE_EPOCH=1700000000 run 0 'as an archive with a date' q -o c.zip
check 'which is another' test "$(cmp -s a.zip c.zip; echo $?)" -eq 1
check 'the manifest names the model' grep -q '"name": "model.onnx"' a.zip

# overwriting
run 73 'an existing folder' q -o out
run 0 'with force' q -o out --force
mkdir mine && echo precious >mine/thesis.txt
run 73 'a folder of another origin' q -o mine --force
check 'which is as it was' test "$(cat mine/thesis.txt)" = precious
run 73 'an existing file' q -o m.onnx
rm m.onnx
run 73 'a companion that exists' q -o m.onnx
absent 'no model then' m.onnx
run 73 'a folder that cannot be' q -o /dev/null/x
run 64 'standard output' q -o -
run 64 'no output' q

# statistics
run 0 'calibrate' "$N" calibrate "$M" --data "$D" $IMAGE --histograms -o s.stats
run 0 'statistics instead of data' "$N" quantize "$M" --stats s.stats -o fromstats
says 'warning E0914'
same 'the same model from statistics' out/model.onnx fromstats/model.onnx
for method in moving-average percentile:99.9 mse entropy; do
    run 0 "$method" q -o method --force --method $method
    run 0 "$method from statistics" "$N" quantize "$M" --stats s.stats -o method2 --force --method $method --verify none
    same "$method: the same model" method/model.onnx method2/model.onnx
done
"$N" calibrate "$M" --data "$D" $IMAGE -o plain.stats -q >/dev/null
run 65 'a method that needs histograms' "$N" quantize "$M" --stats plain.stats -o x --method mse
says 'error E1106'
run 65 'statistics of another model' "$N" quantize out/model.float.onnx --stats s.stats -o x
says 'error E1108'

# verification and gates
run 0 'a gate that holds' q -o x --force --min-sqnr 10 --min-top1 90
run 1 'a gate that does not' q -o x --force --min-sqnr 190
says 'error E0912'
check 'the output is written all the same' test -s x/model.onnx
run 0 'other samples' q -o x --force --eval-data "$E"
shows '16 evaluation samples'
run 0 'no verification' q -o x --force --verify none
run 0 'JSON' q -o x --force --json
shows '"ops_quantized": \{'
shows '"source": "calibration samples"'

# options
run 0 'keep-float' q -o x --force --keep-float '*'
says 'warning E0909'
run 64 'keep-float of nothing' q -o x --force --keep-float nothing.like.it
says 'error E0910'
run 0 'integers at the border' q -o x --force --io quantized
shows 'SQNR [2-9][0-9]\.'
run 0 'encodings 0.6.1' q -o x --force --encodings-version 0.6.1
check 'of that version' grep -q '"version": "0.6.1"' x/model.encodings
run 64 'encodings of no version' q -o y --encodings-version 7
run 64 'a method that does not exist' q -o y --method minmx
says "did you mean 'minmax'"
run 69 'a target that does not exist' q -o y --target int9
says "did you mean 'int8'"
run 0 '16 bits everywhere' q -o w16 --precision w8a16
check 'its opset' sh -c "'$N' info w16/model.onnx | grep -q 'ai.onnx 21'"
run 69 'a precision the target lacks' q -o y --precision w4a8
run 64 'a precision that is none' q -o y --precision int8
printf '{"schema": "npuprep.target/1", "name": "mine", "activation": {"dtypes": ["uint8"]}}' >mine.json
run 0 'a target of my own' q -o x --force --target ./mine.json
check 'its types are used' grep -q '"uint8"' x/report.json
run 64 'no data' "$N" quantize "$M" -o y
run 69 'quantized already' "$N" quantize out/model.onnx --data "$D" $IMAGE -o y
says 'error E0907'
absent 'nothing is written after an error' y
check 'nor anything hidden' test -z "$(ls -d .y* 2>/dev/null)"
finish
