/* The cases of test_decompose.c: pass, operator, graph, range of the inputs, tolerance. */
#ifndef TESTS_DECOMPOSE_CASES_H
#define TESTS_DECOMPOSE_CASES_H
static const struct decompose_case CASES[] = {
    {"decompose-gelu", "Gelu", "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Gelu(x)\n}", 0,
     0},
    {"decompose-gelu", "Gelu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Gelu<approximate=\"tanh\">(x)\n}", 0, 0},
    {"decompose-gelu", "Gelu",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[3,8]) -> (y) {\n y = "
     "com.microsoft::Gelu(x)\n}",
     0, 0},
    {"decompose-gelu", "QuickGelu",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[3,8]) -> (y) {\n y = "
     "com.microsoft::QuickGelu(x)\n}",
     0, 0},
    {"decompose-gelu", "QuickGelu",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[3,8]) -> (y) {\n y = "
     "com.microsoft::QuickGelu<alpha=1.0>(x)\n}",
     0, 0},
    {"decompose-gelu", "BiasGelu",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[3,8], b: float[8]) -> (y) {\n y = "
     "com.microsoft::BiasGelu(x, b)\n}",
     0, 0},
    {"decompose-gelu", "FastGelu",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[3,8], b: float[8]) -> (y) {\n y = "
     "com.microsoft::FastGelu(x, b)\n}",
     0, 0},
    {"decompose-gelu", "FastGelu",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[3,8]) -> (y) {\n y = "
     "com.microsoft::FastGelu(x)\n}",
     0, 0},
    {"decompose-activation", "Celu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Celu<alpha=0.7>(x)\n}", 5, 0},
    {"decompose-activation", "Celu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Celu<alpha=0.7>(x)\n}", 500, 0},
    {"decompose-activation", "Celu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Celu(x)\n}", 5, 0},
    {"decompose-activation", "Celu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Celu(x)\n}", 500, 0},
    {"decompose-activation", "Elu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Elu<alpha=1.5>(x)\n}", 5, 0},
    {"decompose-activation", "Elu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Elu<alpha=1.5>(x)\n}", 500, 0},
    {"decompose-activation", "Selu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Selu(x)\n}", 5, 0},
    {"decompose-activation", "Selu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Selu(x)\n}", 500, 0},
    {"decompose-activation", "HardSigmoid",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = HardSigmoid(x)\n}", 5, 0},
    {"decompose-activation", "HardSigmoid",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = HardSigmoid(x)\n}", 500, 0},
    {"decompose-activation", "HardSigmoid",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = HardSigmoid<alpha=0.3, beta=0.25>(x)\n}",
     5, 0},
    {"decompose-activation", "HardSigmoid",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = HardSigmoid<alpha=0.3, beta=0.25>(x)\n}",
     500, 0},
    {"decompose-activation", "HardSwish",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = HardSwish(x)\n}", 5, 0},
    {"decompose-activation", "HardSwish",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = HardSwish(x)\n}", 500, 0},
    {"decompose-activation", "LeakyRelu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = LeakyRelu<alpha=0.1>(x)\n}", 5, 0},
    {"decompose-activation", "LeakyRelu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = LeakyRelu<alpha=0.1>(x)\n}", 500, 0},
    {"decompose-activation", "Mish",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Mish(x)\n}", 5, 0},
    {"decompose-activation", "Mish",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Mish(x)\n}", 500, 0},
    {"decompose-activation", "Softplus",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Softplus(x)\n}", 5, 0},
    {"decompose-activation", "Softplus",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Softplus(x)\n}", 500, 0},
    {"decompose-activation", "Softsign",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Softsign(x)\n}", 5, 0},
    {"decompose-activation", "Softsign",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = Softsign(x)\n}", 500, 0},
    {"decompose-activation", "ThresholdedRelu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = ThresholdedRelu<alpha=0.5>(x)\n}", 5, 0},
    {"decompose-activation", "ThresholdedRelu",
     "opset 21\ngraph main(x: float[3,8]) -> (y) {\n y = ThresholdedRelu<alpha=0.5>(x)\n}", 500, 0},
    {"decompose-activation", "Swish",
     "opset 24\ngraph main(x: float[3,8]) -> (y) {\n y = Swish(x)\n}", 5, 0},
    {"decompose-activation", "Swish",
     "opset 24\ngraph main(x: float[3,8]) -> (y) {\n y = Swish<alpha=1.7>(x)\n}", 5, 0},
    {"decompose-activation", "PRelu",
     "opset 21\ngraph main(x: float[2,3,4]) -> (y) {\n s: float[3,1] = [0.1, 0.2, -0.5]\n y = "
     "PRelu(x, s)\n}",
     0, 0},
    {"decompose-activation", "GreaterOrEqual",
     "opset 21\ngraph main(x: float[3,8], z: float[8]) -> (y) {\n y = GreaterOrEqual(x, z)\n}", 0,
     0},
    {"decompose-activation", "LessOrEqual",
     "opset 21\ngraph main(x: float[3,8], z: float[8]) -> (y) {\n y = LessOrEqual(x, z)\n}", 0, 0},
    {"decompose-activation", "Max",
     "opset 14\ngraph main(x: int64[3,8], z: int64[8]) -> (y) {\n y = Max(x, z)\n}", 0, 0},
    {"decompose-activation", "Min",
     "opset 14\ngraph main(x: int64[3,8], z: int64[8]) -> (y) {\n y = Min(x, z)\n}", 0, 0},
    {"decompose-norm", "LayerNormalization",
     "opset 17\ngraph main(x: float[3,4,8], s: float[8], b: float[8]) -> (y) {\n y = "
     "LayerNormalization(x, s, b)\n}",
     0, 0},
    {"decompose-norm", "LayerNormalization",
     "opset 17\ngraph main(x: float[3,4,8], s: float[4,8], b: float[4,8]) -> (y) {\n y = "
     "LayerNormalization<axis=1>(x, s, b)\n}",
     0, 0},
    {"decompose-norm", "LayerNormalization",
     "opset 17\ngraph main(x: float[3,4,8], s: float[4,8], b: float[4,8]) -> (y) {\n y = "
     "LayerNormalization<axis=-2, epsilon=0.1>(x, s, b)\n}",
     0, 0},
    {"decompose-norm", "LayerNormalization",
     "opset 17\ngraph main(x: float[3,4,8], s: float[8]) -> (y, m, i) {\n y, m, i = "
     "LayerNormalization(x, s)\n}",
     0, 0},
    {"decompose-norm", "LayerNormalization",
     "opset 17\ngraph main(x: float16[3,4,8], s: float16[8]) -> (y) {\n y = LayerNormalization(x, "
     "s)\n}",
     0, 0.001},
    {"decompose-norm", "RMSNormalization",
     "opset 23\ngraph main(x: float[3,4,8], s: float[8]) -> (y) {\n y = RMSNormalization(x, s)\n}",
     0, 0},
    {"decompose-norm", "RMSNormalization",
     "opset 23\ngraph main(x: float[3,4,8], s: float[4,8]) -> (y) {\n y = "
     "RMSNormalization<axis=1>(x, s)\n}",
     0, 0},
    {"decompose-norm", "RMSNormalization",
     "opset 23\ngraph main(x: float[3,4,8], s: float[4,8]) -> (y) {\n y = "
     "RMSNormalization<axis=-2, epsilon=0.1>(x, s)\n}",
     0, 0},
    {"decompose-norm", "SimplifiedLayerNormalization",
     "opset 17\ngraph main(x: float[3,4,8], s: float[8]) -> (y, i) {\n y, i = "
     "SimplifiedLayerNormalization(x, s)\n}",
     0, 0},
    {"decompose-norm", "SkipLayerNormalization",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[3,4,8], k: float[3,4,8], s: float[8], "
     "b: float[8], m: float[8]) -> (y, t) {\n y, _, _, t = "
     "com.microsoft::SkipLayerNormalization(x, k, s, b, m)\n}",
     0, 0},
    {"decompose-norm", "SkipLayerNormalization",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[3,4,8], k: float[3,4,8], s: float[8]) "
     "-> (y) {\n y = com.microsoft::SkipLayerNormalization<epsilon=0.001>(x, k, s)\n}",
     0, 0},
    {"decompose-norm", "SkipSimplifiedLayerNormalization",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[3,4,8], k: float[3,4,8], s: float[8], "
     "m: float[8]) -> (y, t) {\n y, _, _, t = com.microsoft::SkipSimplifiedLayerNormalization(x, "
     "k, s, m)\n}",
     0, 0},
    {"decompose-norm", "SkipSimplifiedLayerNormalization",
     "opset 22\nopset com.microsoft 1\ngraph main(x: float[3,4,8], k: float[3,4,8], s: float[8]) "
     "-> (y, t) {\n y, _, _, t = com.microsoft::SkipSimplifiedLayerNormalization(x, k, s)\n}",
     0, 0},
    {"decompose-norm", "InstanceNormalization",
     "opset 21\ngraph main(x: float[2,3,4,5], s: float[3], b: float[3]) -> (y) {\n y = "
     "InstanceNormalization(x, s, b)\n}",
     0, 0},
    {"decompose-norm", "GroupNormalization",
     "opset 21\ngraph main(x: float[2,6,4,5], s: float[6], b: float[6]) -> (y) {\n y = "
     "GroupNormalization<num_groups=3>(x, s, b)\n}",
     0, 0},
    {"decompose-norm", "GroupNormalization",
     "opset 18\ngraph main(x: float[2,6,4], s: float[2], b: float[2]) -> (y) {\n y = "
     "GroupNormalization<num_groups=2>(x, s, b)\n}",
     0, 0},
    {"decompose-norm", "GroupNormalization",
     "opset 21\ngraph main(x: float16[2,6,4], s: float16[6], b: float16[6]) -> (y) {\n y = "
     "GroupNormalization<num_groups=2>(x, s, b)\n}",
     0, 0.002},
    {"decompose-fused", "FusedConv",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[1,2,5,5], w: float[3,2,3,3], b: "
     "float[3]) -> (y) {\n y = com.microsoft::FusedConv(x, w, b)\n}",
     0, 0},
    {"decompose-fused", "FusedConv",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[1,2,5,5], w: float[3,2,3,3], b: "
     "float[3]) -> (y) {\n y = com.microsoft::FusedConv<activation=\"Relu\">(x, w, b)\n}",
     0, 0},
    {"decompose-fused", "FusedConv",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[1,2,5,5], w: float[3,2,3,3], b: "
     "float[3]) -> (y) {\n y = com.microsoft::FusedConv<activation=\"Tanh\">(x, w, b)\n}",
     0, 0},
    {"decompose-fused", "FusedConv",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[1,2,5,5], w: float[3,2,3,3], b: "
     "float[3]) -> (y) {\n y = com.microsoft::FusedConv<activation=\"Sigmoid\">(x, w, b)\n}",
     0, 0},
    {"decompose-fused", "FusedConv",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[1,2,5,5], w: float[3,2,3,3], b: "
     "float[3]) -> (y) {\n y = com.microsoft::FusedConv<activation=\"LeakyRelu\", "
     "activation_params=[0.1]>(x, w, b)\n}",
     0, 0},
    {"decompose-fused", "FusedConv",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[1,2,5,5], w: float[3,2,3,3], b: "
     "float[3]) -> (y) {\n y = com.microsoft::FusedConv<activation=\"Clip\", "
     "activation_params=[-0.5, 0.75]>(x, w, b)\n}",
     0, 0},
    {"decompose-fused", "FusedConv",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[1,2,5,5], w: float[3,2,3,3], b: "
     "float[3]) -> (y) {\n y = com.microsoft::FusedConv<activation=\"HardSigmoid\", "
     "activation_params=[0.3, 0.4]>(x, w, b)\n}",
     0, 0},
    {"decompose-fused", "FusedConv",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[1,2,5,5], w: float[3,2,3,3], b: "
     "float[3], z: float[1,3,5,5]) -> (y) {\n y = com.microsoft::FusedConv<activation=\"Relu\", "
     "pads=[1,1,1,1]>(x, w, b, z)\n}",
     0, 0},
    {"decompose-fused", "FusedGemm",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[4,5], w: float[3,5], b: float[3]) -> "
     "(y) {\n y = com.microsoft::FusedGemm<activation=\"LeakyRelu\", activation_alpha=0.2, "
     "transB=1, alpha=0.5>(x, w, b)\n}",
     0, 0},
    {"decompose-fused", "FusedGemm",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[4,5], w: float[5,3]) -> (y) {\n y = "
     "com.microsoft::FusedGemm<activation=\"Relu\">(x, w)\n}",
     0, 0},
    {"decompose-fused", "FusedMatMul",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[2,5,4], w: float[2,3,5]) -> (y) {\n y = "
     "com.microsoft::FusedMatMul<transA=1, transB=1, alpha=0.25>(x, w)\n}",
     0, 0},
    {"decompose-fused", "TransposeMatMul",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[4,5], w: float[5,3]) -> (y) {\n y = "
     "com.microsoft::TransposeMatMul(x, w)\n}",
     0, 0},
    {"decompose-gemm", "Gemm",
     "opset 21\ngraph main(x: float[4,5], w: float[5,3]) -> (y) {\n y = Gemm(x, w)\n}", 0, 0},
    {"decompose-gemm", "Gemm",
     "opset 21\ngraph main(x: float[5,4], w: float[3,5], b: float[3]) -> (y) {\n y = "
     "Gemm<transA=1, transB=1, alpha=0.5, beta=2.0>(x, w, b)\n}",
     0, 0},
    {"decompose-split", "Split",
     "opset 21\ngraph main(x: float[4,6]) -> (a, b) {\n p: int64[2] = [2, 4]\n a, b = "
     "Split<axis=1>(x, p)\n}",
     0, 0},
    {"decompose-split", "Split",
     "opset 21\ngraph main(x: float[7,6]) -> (a, b) {\n a, b = Split<num_outputs=2>(x)\n}", 0, 0},
    {"decompose-split", "Split",
     "opset 13\ngraph main(x: float[4,6]) -> (a, b) {\n a, _, b = Split<axis=-1>(x)\n}", 0, 0},
    {"decompose-split", "Split",
     "opset 11\ngraph main(x: float[4,6]) -> (a, b) {\n a, b = Split<axis=1, split=[1, 5]>(x)\n}",
     0, 0},
    {"convert-linear", "MatMul",
     "opset 21\ngraph main(x: float[2,4,5]) -> (y) {\n w: float[5,3] = fill(seed 3)\n y = "
     "MatMul(x, w)\n}",
     0, 0},
    {"convert-linear", "MatMul",
     "opset 21\ngraph main(x: float[n,5]) -> (y) {\n w: float[5,3] = fill(seed 3)\n y = MatMul(x, "
     "w)\n}",
     0, 0},
    {"convert-linear", "Gemm",
     "opset 21\ngraph main(x: float[4,5]) -> (y) {\n w: float[5,3] = fill(seed 3)\n b: float[1,3] "
     "= [0.5, 1.0, 2.0]\n y = Gemm(x, w, b)\n}",
     0, 0},
    {"convert-linear", "Gemm",
     "opset 21\ngraph main(x: float[4,3]) -> (y) {\n w: float[5,3] = fill(seed 3)\n b: float[5] = "
     "fill(0.5)\n y = Gemm<transB=1>(x, w, b)\n}",
     0, 0},
    {"decompose-rotary", "RotaryEmbedding",
     "opset 23\ngraph main(x: float[2,3,4,8], p: int64[2,4]) -> (y) {\n co: float[8,4] = fill(seed "
     "1)\n si: float[8,4] = fill(seed 2)\n y = RotaryEmbedding(x, co, si, p)\n}",
     0, 0},
    {"decompose-rotary", "RotaryEmbedding",
     "opset 23\ngraph main(x: float[2,4,24], p: int64[2,4]) -> (y) {\n co: float[8,4] = fill(seed "
     "1)\n si: float[8,4] = fill(seed 2)\n y = RotaryEmbedding<num_heads=3, interleaved=1>(x, co, "
     "si, p)\n}",
     0, 0},
    {"decompose-rotary", "RotaryEmbedding",
     "opset 23\ngraph main(x: float[2,3,4,12], p: int64[2,4]) -> (y) {\n co: float[8,4] = "
     "fill(seed 1)\n si: float[8,4] = fill(seed 2)\n y = "
     "RotaryEmbedding<rotary_embedding_dim=8>(x, co, si, p)\n}",
     0, 0},
    {"decompose-rotary", "RotaryEmbedding",
     "opset 23\ngraph main(x: float[2,3,4,8], co: float[2,4,4], si: float[2,4,4]) -> (y) {\n y = "
     "RotaryEmbedding(x, co, si)\n}",
     0, 0},
    {"decompose-rotary", "RotaryEmbedding",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[2,3,4,8], p: int64[2,4]) -> (y) {\n co: "
     "float[8,4] = fill(seed 1)\n si: float[8,4] = fill(seed 2)\n y = "
     "com.microsoft::RotaryEmbedding(x, p, co, si)\n}",
     0, 0},
    {"decompose-rotary", "RotaryEmbedding",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[2,4,24], p: int64[1]) -> (y) {\n co: "
     "float[8,4] = fill(seed 1)\n si: float[8,4] = fill(seed 2)\n y = "
     "com.microsoft::RotaryEmbedding(x, p, co, si)\n}",
     0, 0},
    {"decompose-attention", "Attention",
     "opset 23\ngraph main(q: float[2,3,4,8], k: float[2,3,5,8], v: float[2,3,5,6]) -> (y) {\n y = "
     "Attention(q, k, v)\n}",
     0, 0},
    {"decompose-attention", "Attention",
     "opset 23\ngraph main(q: float[2,4,24], k: float[2,5,24], v: float[2,5,24]) -> (y) {\n y = "
     "Attention<q_num_heads=3, kv_num_heads=3, is_causal=1, scale=0.5, softcap=2.0>(q, k, v)\n}",
     0, 0},
    {"decompose-attention", "Attention",
     "opset 23\ngraph main(q: float[2,6,4,8], k: float[2,2,4,8], v: float[2,2,4,8], m: float[4,7], "
     "pk: float[2,2,3,8], pv: float[2,2,3,8]) -> (y, a, b) {\n y, a, b = Attention<is_causal=1>(q, "
     "k, v, m, pk, pv)\n}",
     0, 0},
    {"decompose-attention", "Attention",
     "opset 24\ngraph main(q: float[2,3,4,8], k: float[2,3,5,8], v: float[2,3,5,6]) -> (y) {\n m: "
     "bool[4,5] = [1,0,0,1,1,1,1,1,0,0,0,0,1,1,1,1,1,1,1,0]\n y = Attention(q, k, v, m)\n}",
     0, 0},
    {"decompose-attention", "Attention",
     "opset 23\ngraph main(q: float[2,3,4,d], k: float[2,3,5,d], v: float[2,3,5,6]) -> (y) {\n y = "
     "Attention(q, k, v)\n}",
     0, 0},
    {"decompose-attention", "MultiHeadAttention",
     "opset 17\nopset com.microsoft 1\ngraph main(q: float[2,4,24], k: float[2,5,24], v: "
     "float[2,5,12]) -> (y) {\n b: float[60] = fill(seed 5)\n y = "
     "com.microsoft::MultiHeadAttention<num_heads=3>(q, k, v, b)\n}",
     0, 0},
    {"decompose-attention", "MultiHeadAttention",
     "opset 17\nopset com.microsoft 1\ngraph main(q: float[2,4,24], k: float[2,4,24], v: "
     "float[2,4,24], m: float[1,3,4,6], pk: float[2,3,2,8], pv: float[2,3,2,8]) -> (y, a, b) {\n "
     "y, a, b = com.microsoft::MultiHeadAttention<num_heads=3, scale=0.3, unidirectional=1>(q, k, "
     "v, _, _, m, pk, pv)\n}",
     0, 0},
    {"decompose-matmul-nbits", "MatMulNBits",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[2,32]) -> (y) {\n w: uint8[3,2,8] = "
     "fill(seed 4)\n s: float[6] = fill(seed 6, 0.1, 0.2)\n y = com.microsoft::MatMulNBits<K=32, "
     "N=3, bits=4, block_size=16>(x, w, s)\n}",
     0, 0},
    {"decompose-matmul-nbits", "MatMulNBits",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[2,30], b: float[3]) -> (y) {\n w: "
     "uint8[3,2,8] = fill(seed 4)\n s: float[6] = fill(seed 6, 0.1, 0.2)\n z: uint8[3] = fill(seed "
     "7)\n y = com.microsoft::MatMulNBits<K=30, N=3, bits=4, block_size=16>(x, w, s, z, _, b)\n}",
     0, 0},
    {"decompose-matmul-nbits", "MatMulNBits",
     "opset 17\nopset com.microsoft 1\ngraph main(x: float[2,32]) -> (y) {\n w: uint8[3,2,16] = "
     "fill(seed 4)\n s: float[6] = fill(seed 6, 0.1, 0.2)\n z: float[6] = fill(seed 7, 0.0, 9.0)\n "
     "y = com.microsoft::MatMulNBits<K=32, N=3, bits=8, block_size=16>(x, w, s, z)\n}",
     0, 0},
    {"decompose-recurrent", "LSTM",
     "opset 17\ngraph main(x: float[3,2,4], h: float[1,2,3], k: float[1,2,3]) -> (y, a, d) {\n w: "
     "float[1,12,4] = fill(seed 1, -0.5, 0.5)\n r: float[1,12,3] = fill(seed 2, -0.5, 0.5)\n b: "
     "float[1,24] = fill(seed 3, -0.5, 0.5)\n y, a, d = LSTM<hidden_size=3>(x, w, r, b, _, h, "
     "k)\n}",
     0, 0},
    {"decompose-recurrent", "LSTM",
     "opset 17\ngraph main(x: float[3,2,4]) -> (y) {\n w: float[1,12,4] = fill(seed 1, -0.5, "
     "0.5)\n r: float[1,12,3] = fill(seed 2, -0.5, 0.5)\n y = LSTM<hidden_size=3, "
     "direction=\"reverse\">(x, w, r)\n}",
     0, 0},
    {"decompose-recurrent", "LSTM",
     "opset 17\ngraph main(x: float[2,2,4], h: float[2,2,3], k: float[2,2,3]) -> (y, a, d) {\n w: "
     "float[2,12,4] = fill(seed 1, -0.5, 0.5)\n r: float[2,12,3] = fill(seed 2, -0.5, 0.5)\n b: "
     "float[2,24] = fill(seed 3, -0.5, 0.5)\n y, a, d = LSTM<hidden_size=3, "
     "direction=\"bidirectional\">(x, w, r, b, _, h, k)\n}",
     0, 0},
    {"decompose-recurrent", "GRU",
     "opset 17\ngraph main(x: float[3,2,4]) -> (y, a) {\n w: float[1,9,4] = fill(seed 1, -0.5, "
     "0.5)\n r: float[1,9,3] = fill(seed 2, -0.5, 0.5)\n b: float[1,18] = fill(seed 3, -0.5, "
     "0.5)\n y, a = GRU<hidden_size=3>(x, w, r, b)\n}",
     0, 0},
    {"decompose-recurrent", "GRU",
     "opset 17\ngraph main(x: float[3,2,4], h: float[1,2,3]) -> (a) {\n w: float[1,9,4] = "
     "fill(seed 1, -0.5, 0.5)\n r: float[1,9,3] = fill(seed 2, -0.5, 0.5)\n b: float[1,18] = "
     "fill(seed 3, -0.5, 0.5)\n _, a = GRU<hidden_size=3, linear_before_reset=1>(x, w, r, b, _, "
     "h)\n}",
     0, 0},
    {"decompose-recurrent", "GRU",
     "opset 17\ngraph main(x: float[2,2,4]) -> (y, a) {\n w: float[2,9,4] = fill(seed 1, -0.5, "
     "0.5)\n r: float[2,9,3] = fill(seed 2, -0.5, 0.5)\n y, a = GRU<hidden_size=3, "
     "direction=\"bidirectional\", linear_before_reset=1>(x, w, r)\n}",
     0, 0},
    {"decompose-recurrent", "GRU",
     "opset 17\ngraph main(x: float[3,2,4], h: float[1,2,3]) -> (y) {\n w: float[1,9,4] = "
     "fill(seed 1, -0.5, 0.5)\n r: float[1,9,3] = fill(seed 2, -0.5, 0.5)\n y = GRU<hidden_size=3, "
     "direction=\"reverse\">(x, w, r, _, _, h)\n}",
     0, 0},
    {"decompose-gqa", "GroupQueryAttention",
     "opset 17\nopset com.microsoft 1\ngraph main(q: float[1,3,32], k: float[1,3,16], v: "
     "float[1,3,16]) -> (y, a, b) {\n sl: int32[1] = [2]\n tt: int32[] = 3\n co: float[16,4] = "
     "fill(seed 1)\n si: float[16,4] = fill(seed 2)\n y, a, b = "
     "com.microsoft::GroupQueryAttention<num_heads=4, kv_num_heads=2, do_rotary=1>(q, k, v, _, _, "
     "sl, tt, co, si)\n}",
     0, 0},
    {"decompose-gqa", "GroupQueryAttention",
     "opset 17\nopset com.microsoft 1\ngraph main(q: float[1,2,64], pk: float[1,2,3,8], pv: "
     "float[1,2,3,8]) -> (y, a, b) {\n sl: int32[1] = [4]\n tt: int32[] = 5\n co: float[16,4] = "
     "fill(seed 1)\n si: float[16,4] = fill(seed 2)\n y, a, b = "
     "com.microsoft::GroupQueryAttention<num_heads=4, kv_num_heads=2, do_rotary=1, "
     "rotary_interleaved=1, scale=0.4, softcap=3.0>(q, _, _, pk, pv, sl, tt, co, si)\n}",
     0, 0},
    {"decompose-gqa", "GroupQueryAttention",
     "opset 17\nopset com.microsoft 1\ngraph main(q: float[1,1,24], k: float[1,1,24], v: "
     "float[1,1,24], pk: float[1,2,3,12], pv: float[1,2,3,12]) -> (y, a, b) {\n sl: int32[1] = "
     "[3]\n tt: int32[] = 4\n co: float[16,4] = fill(seed 1)\n si: float[16,4] = fill(seed 2)\n y, "
     "a, b = com.microsoft::GroupQueryAttention<num_heads=2, kv_num_heads=2, do_rotary=1>(q, k, v, "
     "pk, pv, sl, tt, co, si)\n}",
     0, 0},
    {"decompose-gqa", "GroupQueryAttention",
     "opset 17\nopset com.microsoft 1\ngraph main(q: float[1,1,16], k: float[1,1,16], v: "
     "float[1,1,16], pk: float[1,2,3,8], pv: float[1,2,3,8]) -> (y, a, b) {\n sl: int32[1] = [3]\n "
     "tt: int32[] = 4\n y, a, b = com.microsoft::GroupQueryAttention<num_heads=2, "
     "kv_num_heads=2>(q, k, v, pk, pv, sl, tt)\n}",
     0, 0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[2,3,4,5], z: float[2,3,6,5]) -> (y) {\n y = "
     "Einsum<equation=\"bhid,bhjd->bhij\">(x, z)\n}",
     0, 0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[3,4], z: float[4,5]) -> (y) {\n y = "
     "Einsum<equation=\"ij,jk->ik\">(x, z)\n}",
     0, 0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[3,4], z: float[4,5]) -> (y) {\n y = "
     "Einsum<equation=\"ij,jk\">(x, z)\n}",
     0, 0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[2,3,4], z: float[2,4,5]) -> (y) {\n y = "
     "Einsum<equation=\"bij,bjk->kbi\">(x, z)\n}",
     0, 0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[2,3,4], z: float[4,5]) -> (y) {\n y = "
     "Einsum<equation=\"ijk,kl->lij\">(x, z)\n}",
     0, 0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[3,4], z: float[3,4]) -> (y) {\n y = "
     "Einsum<equation=\"ij,ij->\">(x, z)\n}",
     0, 0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[3], z: float[4]) -> (y) {\n y = "
     "Einsum<equation=\"i,j->ij\">(x, z)\n}",
     0, 0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[2,3,4], z: float[2,4,5]) -> (y) {\n y = "
     "Einsum<equation=\"...ij,...jk->...ik\">(x, z)\n}",
     0, 0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[2,3,4], z: float[3,5]) -> (y) {\n y = "
     "Einsum<equation=\"ijk,jl->li\">(x, z)\n}",
     0, 0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[2,3,4], z: float[2,3,4]) -> (y) {\n y = "
     "Einsum<equation=\"abc,abc->abc\">(x, z)\n}",
     0, 0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[2,3,4]) -> (y) {\n y = Einsum<equation=\"ijk->ki\">(x)\n}", 0,
     0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[2,3,4]) -> (y) {\n y = Einsum<equation=\"ijk->kji\">(x)\n}", 0,
     0},
    {"decompose-einsum", "Einsum",
     "opset 17\ngraph main(x: float[2,3,4]) -> (y) {\n y = Einsum<equation=\"ijk->\">(x)\n}", 0, 0},
    {"decompose-resize", "Resize",
     "opset 13\ngraph main(x: float[1,3,4,5]) -> (y) {\n s: float[4] = [1.0, 1.0, 2.0, 3.0]\n y = "
     "Resize<mode=\"nearest\", coordinate_transformation_mode=\"asymmetric\", "
     "nearest_mode=\"floor\">(x, _, s)\n}",
     0, 0},
    {"decompose-resize", "Resize",
     "opset 13\ngraph main(x: float[2,3,4,5]) -> (y) {\n n: int64[4] = [2, 3, 12, 20]\n y = "
     "Resize(x, _, _, n)\n}",
     0, 0},
    {"decompose-pool", "Window",
     "opset 21\ngraph main(x: float[1,2,30,30]) -> (y) {\n y = MaxPool<kernel_shape=[13,13], "
     "pads=[6,6,6,6]>(x)\n}",
     0, 0},
    {"decompose-pool", "Window",
     "opset 21\ngraph main(x: float[1,2,30,30]) -> (y) {\n y = MaxPool<kernel_shape=[20,3], "
     "strides=[2,3]>(x)\n}",
     0, 0},
    {"decompose-pool", "Window",
     "opset 21\ngraph main(x: float[1,2,30,24]) -> (y) {\n y = AveragePool<kernel_shape=[10,12], "
     "strides=[10,12]>(x)\n}",
     0, 0},
    {"convert-rank", "Axes",
     "opset 21\ngraph main(x: float[2,3,4,5,6]) -> (y) {\n y = Transpose<perm=[0,2,3,1,4]>(x)\n}",
     0, 0},
    {"convert-rank", "Axes",
     "opset 21\ngraph main(x: float[2,3,1,5,1,6]) -> (y) {\n y = "
     "Transpose<perm=[4,3,0,2,1,5]>(x)\n}",
     0, 0},
    {"convert-rank", "Axes",
     "opset 21\ngraph main(x: float[2,3,4,5,6]) -> (y) {\n y = Transpose<perm=[0,1,2,3,4]>(x)\n}",
     0, 0},
    {"convert-rank", "Axes",
     "opset 21\ngraph main(x: float[1,1,1,1,1]) -> (y) {\n y = Transpose(x)\n}", 0, 0},
};
#endif
