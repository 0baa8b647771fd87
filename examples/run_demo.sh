#!/bin/sh
# What `make demo` shows: a real text-angle classifier (examples/ppocr2-cls) from float to int8, on real pictures.
# BUILD: build folder. OUT: where the result goes (default: $BUILD/demo).
set -eu
cd "$(dirname "$0")/.."
N=${BUILD:=build}/npuprep
out=${OUT:-$BUILD/demo}
example=examples/ppocr2-cls
pictures='--image-mean 0.5 --image-std 0.5' # (pixel / 255 - 0.5) / 0.5

step() { printf '\n== %s\n' "$1"; }
npuprep() {
    echo "\$ npuprep $*"
    "$N" "$@"
}
bytes() { wc -c <"$1" | tr -d ' '; }

step 'The float model: is a line of text upside down?'
npuprep info $example/model.onnx --shape x=1,3,48,192

step 'Quantize it: 16 pictures to find the ranges, int8 for weights and activations'
npuprep quantize $example/model.onnx --data $example/calib $pictures --precision w8a8 -o "$out" --force

step 'The float and the quantized model on pictures neither has seen (class 0: upright, 1: upside down)'
npuprep compare $example/model.onnx "$out/model.onnx" --data $example/eval $pictures --show 8

step 'Is the result valid ONNX?'
npuprep check "$out/model.onnx"

step 'Files'
printf '%9d bytes  %s (float)\n' "$(bytes $example/model.onnx)" $example/model.onnx
for file in model.onnx model.float.onnx model.encodings report.json report.html; do
    printf '%9d bytes  %s\n' "$(bytes "$out/$file")" "$out/$file"
done
awk -v a="$(bytes $example/model.onnx)" -v b="$(bytes "$out/model.onnx")" -v out="$out" \
    'BEGIN {printf "\nThe quantized model takes %.0f %% of the float one. Open %s/report.html for the details.\n", 100 * b / a, out}'
