#!/bin/sh
# effnet.sh DATA: `npuprep quantize` on the raw EfficientNet-Lite0 export against ONNX Runtime's quantize_static (its recommended
# pre-processing done beforehand and not counted), in turn: seconds, peak RSS, and both results' accuracy in ONNX Runtime.
# PEER: a Python with onnx, onnxruntime, numpy, pillow and sympy.
set -eu
data=${1:-../shared} here=$(dirname "$0") npuprep=${NPUPREP:-build/npuprep} peer=${PEER:-}
model=$data/models/effnet_lite0
[ -d "$model" ] || { echo "skipped: no $model"; exit 0; }
[ -n "$peer" ] || { echo "skipped: PEER names no Python with onnxruntime"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$peer" -m onnxruntime.quantization.preprocess --input "$model/model.onnx" --output "$work/folded.onnx" >/dev/null 2>&1
ours="$npuprep quantize $model/model.onnx --data $model/calib --image-scale 1 --image-mean 127 --image-std 128 --precision w8a8 --verify none --force -q -o $work/out"
theirs="$peer $here/peer/ort_quantize.py $work/folded.onnx $model/calib 127 128 MinMax $work/peer.onnx"
sh "$here/pair.sh" "effnet_lite0 w8a8 minmax" 5 "$ours" "$theirs"
"$peer" "$here/peer/ort_score.py" "$work/out/model.onnx" "$model/eval" "$model/out.npz" 127 128 2>/dev/null | sed 's/.*: /ours: /'
"$peer" "$here/peer/ort_score.py" "$work/peer.onnx" "$model/eval" "$model/out.npz" 127 128 2>/dev/null | sed 's/.*: /peer: /'
