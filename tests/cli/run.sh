# run and compare: outputs, joining of samples, taps, profile, threads, gates, refusals.
. "$(dirname "$0")/lib.sh"
model=$root/examples/textangle/model.onnx
[ -f "$model" ] || model=$(find "$root/examples" -name '*.onnx' | head -n 1)
case $model in '') echo 'skipped 1'; finish ;; esac

run 0 'a sample into an archive' "$N" run "$model" --data random:1 -o one.npz
shows '^1 sample in [0-9.]+ ms, saved to one.npz$'
run 75 'an output that is there already' "$N" run "$model" --data random:1 -o one.npz --json
[ "$got" -eq 73 ] && pass 'status 73' || :
