"""ort_score.py QUANTIZED.onnx PICTURES FLOAT_OUT.npz MEAN STD: SQNR and top-1 agreement of a classifier in ONNX Runtime.

FLOAT_OUT.npz holds one array [N, classes] of the float model's answers for PICTURES in name order. Prints dB over all answers together, the
agreement in percent and what ONNX Runtime warned about while loading.
"""
import pathlib
import sys

import numpy as np
import onnxruntime as ort
from PIL import Image

model, folder, answers, mean, std = sys.argv[1:6]
session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
want = np.load(answers)
want = want[want.files[0]].astype(np.float64)
got = []
for path in sorted(pathlib.Path(folder).glob("*.png")):
    pixels = np.asarray(Image.open(path).convert("RGB"), np.float32)
    sample = ((pixels - np.float32(float(mean))) / np.float32(float(std))).transpose(2, 0, 1)[None]
    got.append(session.run(None, {name: sample})[0][0])
got = np.stack(got).astype(np.float64)
sqnr = 10 * np.log10((want ** 2).sum() / ((want - got) ** 2).sum())
agree = 100 * (want.argmax(1) == got.argmax(1)).mean()
print(f"{model}: {sqnr:.2f} dB, {agree:.1f} % top-1 agreement over {len(got)} samples")
