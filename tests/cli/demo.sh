# The demo runs and shows what it promises.
. "$(dirname "$0")/lib.sh"
run 0 'the demo' env BUILD="$BUILD" OUT="$work/demo" sh "$root/examples/run_demo.sh"
shows 'SQNR'
shows '07-down.png +1 .* +yes$'
shows 'bytes .*/demo/model.encodings$'
shows 'The quantized model takes [0-9]+ % of the float one'
run 0 'again, over its own result' env BUILD="$BUILD" OUT="$work/demo" sh "$root/examples/run_demo.sh"
finish
