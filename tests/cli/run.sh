# run and compare on the example model: outputs, joined samples, taps, profile, threads, gates, refusals.
. "$(dirname "$0")/lib.sh"
model=$root/examples/ppocr2-cls/model.onnx

run 0 'one sample into an archive' "$N" run "$model" --shape x=1,3,48,192 --data random:1 -o one.npz -q
shows '^1 sample in [0-9.]+ ms, saved to one.npz$'
run 73 'the output is there already' "$N" run "$model" --shape x=1,3,48,192 --data random:1 -o one.npz
says 'error E0009'
run 64 'no samples' "$N" run "$model"
run 66 'no model' "$N" run absent.onnx --shape x=1,3,48,192 --data random:1
run 64 'an engine that does not exist' "$N" run "$model" --shape x=1,3,48,192 --data random:1 --engine fast
run 64 'an intermediate value that does not exist' "$N" run "$model" --shape x=1,3,48,192 --data random:1 --taps nothing -o t.npz
says 'error E0706'
absent 'nothing is written after a refusal' t.npz

for t in 1 2 4; do
    run 0 "$t threads, five samples" "$N" run "$model" --shape x=1,3,48,192 --data random:5 -t $t -o t$t.npz -q
done
same 'one and two threads give the same bytes' t1.npz t2.npz
same 'one and four threads give the same bytes' t1.npz t4.npz
for t in 1 4; do
    run 0 "$t threads, one sample, reference" "$N" run "$model" --shape x=1,3,48,192 --data random:1 --engine reference \
        -t $t -o r$t.npz -q
done
same 'the reference engine too' r1.npz r4.npz

run 0 'every intermediate value' "$N" run "$model" --shape x=1,3,48,192 --data random:2 --taps all -o taps.npz -q
run 0 'time per operator' "$N" run "$model" --shape x=1,3,48,192 --data random:1 --profile --repeat 3 --warmup 1 -q
shows 'Conv'
shows 'fastest of 3'
run 0 'the result as JSON' "$N" run "$model" --shape x=1,3,48,192 --data random:2 --profile --json -q
shows '"samples": 2'
shows '"seconds_min": '
shows '"op": "'

run 0 'the engines agree' "$N" compare "$model" "$model" --engine-b reference --shape x=1,3,48,192 --data random:3 \
    --min-sqnr 90 --min-top1 100 --max-abs 1e-4 -q
run 1 'a limit that cannot be met' "$N" compare "$model" "$model" --engine-b reference --shape x=1,3,48,192 --data random:3 \
    --min-sqnr 400 -q
shows 'a limit is not met'
run 0 'a model against itself' "$N" compare "$model" "$model" --shape x=1,3,48,192 --data random:2 --layers -q
shows 'no difference'
run 0 'a model against its saved outputs' "$N" compare "$model" t1.npz --shape x=1,3,48,192 --data random:5 -q
shows 'no difference'
run 0 'saved outputs against the model' "$N" compare t1.npz "$model" --shape x=1,3,48,192 --data random:5 -q
run 0 'two archives' "$N" compare t1.npz t2.npz
shows 'no difference'
run 0 'saved intermediate values' "$N" compare taps.npz "$model" --shape x=1,3,48,192 --data random:2 --max-abs 1e-3 -q
run 65 'another number of samples' "$N" compare t1.npz "$model" --shape x=1,3,48,192 --data random:4 -q
says 'error E0711'
run 0 'each operator on the first model'"'"'s inputs' "$N" compare "$model" "$model" --teacher \
    --engine-b reference --shape x=1,3,48,192 --data random:1 --json -q
shows '"layers": \['
shows '"first_difference": '
run 64 'one side only' "$N" compare "$model" --shape x=1,3,48,192 --data random:1
finish
