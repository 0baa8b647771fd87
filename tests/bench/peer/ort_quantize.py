"""ort_quantize.py MODEL PICTURES MEAN STD METHOD OUT: ONNX Runtime's static quantizer, QDQ, int8, weights per channel.

The peer of `npuprep quantize`: pictures as (pixel - MEAN) / STD in NCHW. Needs onnx, onnxruntime, numpy, pillow.
"""
import pathlib
import sys

import numpy as np
import onnxruntime.quantization as q
from onnxruntime.quantization.calibrate import CalibrationDataReader
import onnx
from PIL import Image


class Pictures(CalibrationDataReader):
    def __init__(self, name, folder, mean, std):
        self.name, self.mean, self.std = name, mean, std
        self.files = iter(sorted(pathlib.Path(folder).glob("*.png")))

    def get_next(self):
        path = next(self.files, None)
        if path is None:
            return None
        pixels = np.asarray(Image.open(path).convert("RGB"), np.float32)
        return {self.name: ((pixels - self.mean) / self.std).transpose(2, 0, 1)[None]}


model, folder, mean, std, method, out = sys.argv[1:7]
name = onnx.load(model, load_external_data=False).graph.input[0].name
q.quantize_static(model, out, Pictures(name, folder, float(mean), float(std)), quant_format=q.QuantFormat.QDQ,
                  activation_type=q.QuantType.QInt8, weight_type=q.QuantType.QInt8, per_channel=True,
                  calibrate_method=getattr(q.CalibrationMethod, method))
