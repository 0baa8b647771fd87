#!/bin/sh
# All measurements: scaling, very large files, a vision model against its peer, the float executor against its peer. DATA: folder of the
# real models. PEER: a Python with onnx, onnxruntime, numpy, pillow and sympy; ORT: a libonnxruntime.so. Without them the peer's side is
# left out. Nothing here gates a test.
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 2
BUILD=${BUILD:-build} DATA=${DATA:-../shared}
NPUPREP=$PWD/$BUILD/npuprep GEN=$PWD/$BUILD/tests
export NPUPREP GEN BUILD DATA
echo "== nodes"
sh "$here/linear.sh"
echo "== nodes left by opt"
sh "$here/nodes.sh" "$DATA"
echo "== large files"
sh "$here/big.sh"
echo "== EfficientNet-Lite0"
sh "$here/effnet.sh" "$DATA"
echo "== the float executor"
sh "$here/models.sh" "$DATA"
