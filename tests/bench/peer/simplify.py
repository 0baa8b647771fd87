"""simplify.py onnxsim|onnxslim IN OUT: what the peers make of a model, as their own command lines do."""
import sys

import onnx

tool, source, target = sys.argv[1:4]
if tool == "onnxsim":
    import onnxsim

    model, ok = onnxsim.simplify(onnx.load(source))
    if not ok:
        sys.exit("onnxsim: its own check found other results")
else:
    import onnxslim

    model = onnxslim.slim(onnx.load(source))
onnx.save(model, target)
