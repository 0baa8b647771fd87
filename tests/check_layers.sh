#!/bin/sh
# check_layers.sh [ROOT]: a lower layer never includes a higher one. Prints each violation; status 1 when there is one.
# A row: a layer, then the layers it may include besides itself (rewrite, the pass manager, is one with passes). This is the table of the README's "Layers".
set -eu
cd "${1:-.}"
rules='
base
kernels base
ir base
onnx base ir
data base ir onnx
ops base kernels ir
exec base kernels ir ops
calib base kernels ir ops exec
targets base kernels ir ops
quant base kernels ir ops targets calib
encodings base kernels ir ops targets quant calib
passes base kernels ir onnx ops exec data calib targets quant encodings rewrite
rewrite base kernels ir onnx ops exec data calib targets quant encodings passes
report base kernels ir onnx ops exec data calib targets quant encodings passes  rewrite
cmd base kernels ir onnx ops exec data calib targets quant encodings passes report rewrite
api base kernels ir onnx ops exec data calib targets quant encodings passes rewrite
main cmd
'
find src passes -name '*.[ch]' -o -name '*.def' | LC_ALL=C sort |
    xargs grep -Hn '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' |
    awk -F: -v rules="$rules" '
    BEGIN {
        n = split(rules, rows, "\n")
        for (i = 1; i <= n; i++) {
            m = split(rows[i], word, " ")
            for (j = 1; j <= m; j++)
                may[word[1] " " word[j]] = 1
            if (m)
                known[word[1]] = 1
        }
    }
    function layer(path, part, n) {
        n = split(path, part, "/")
        if (path ~ /^src\/main\.c$/) return "main"
        if (part[1] == "src") return n > 2 ? part[2] : "public"
        return part[1]
    }
    {
        text = $0
        sub(/^[^"]*"/, "", text)
        sub(/".*/, "", text)
        from = layer($1)
        # a bare name is a file of the same folder, generated code belongs to onnx, npuprep.h to the C API
        to = text ~ /\// ? substr(text, 1, index(text, "/") - 1) : text == "onnx.pb-c.h" ? "onnx" : text == "npuprep.h" ? "api" : from
        if (!(from in known)) { print $1 ": the folder \"" from "\" is no layer"; bad = 1 }
        else if (!((from " " to) in may)) { print $1 ":" $2 ": " from " must not include " text; bad = 1 }
    }
    END { exit bad }'
