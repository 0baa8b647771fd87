# The same command gives the same bytes: any thread count, any folder, any time; folder, single-file and zip outputs, statistics.
. "$(dirname "$0")/lib.sh"

example=$root/examples/ppocr2-cls
prepare() { "$N" "$@" --data "$example/calib" --image-mean 0.5 --image-std 0.5; }

run 0 'quantize with one thread' prepare quantize "$example/model.onnx" -o one -t 1
sleep 1 # another second on the clock, for whatever might store it
mkdir elsewhere
cp "$example/model.onnx" elsewhere/renamed-folder.onnx
run 0 'with two, elsewhere' sh -c 'cd elsewhere && "$0" quantize "$1" -o ../two -t 2 --data "$2" --image-mean 0.5 --image-std 0.5' "$N" "$example/model.onnx" "$example/calib"
for file in model.onnx model.float.onnx model.encodings report.json report.html; do
    same "$file is the same" "one/$file" "two/$file"
done
run 0 'a bundle' prepare quantize "$example/model.onnx" -o a.zip -t 1
run 0 'the bundle again' prepare quantize "$example/model.onnx" -o b.zip -t 2
same 'bundles are the same' a.zip b.zip
run 0 'statistics with one thread' prepare calibrate "$example/model.onnx" -o one.stats --histograms -t 1
run 0 'statistics with two' prepare calibrate "$example/model.onnx" -o two.stats --histograms -t 2
same 'statistics are the same' one.stats two.stats
for shard in 1 2 3; do
    run 0 "shard $shard of 3" prepare calibrate "$example/model.onnx" -o "s$shard.stats" --histograms --shard "$shard/3"
done
run 0 'merged' "$N" calibrate merge s3.stats s1.stats s2.stats -o merged.stats
same 'merged shards are the whole' one.stats merged.stats
run 0 'opt' "$N" opt "$example/model.onnx" -o one.onnx -t 1
run 0 'opt again' "$N" opt "$example/model.onnx" -o two.onnx -t 2
same 'rewritten models are the same' one.onnx two.onnx
finish
