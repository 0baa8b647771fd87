# calibrate: shards, orders and threads give the same bytes; resume after SIGKILL; merging refuses what does not belong.
. "$(dirname "$0")/lib.sh"

M=$root/examples/ppocr2-cls/model.onnx
D=$root/examples/ppocr2-cls/calib
OPTIONS="--histograms --engine reference"

run 0 'calibrate' "$N" calibrate "$M" --data "$D" $OPTIONS -o all.stats
shows 'samples, [0-9]+ tensors, saved to all.stats'
quiet
run 73 'no overwriting' "$N" calibrate "$M" --data "$D" $OPTIONS -o all.stats
run 0 'one thread' "$N" calibrate "$M" --data "$D" $OPTIONS -o one.stats -t 1
same 'any number of threads' all.stats one.stats
run 0 'another order' "$N" calibrate "$M" --data "$D" $OPTIONS -o shuffled.stats --shuffle 3
same 'any order of samples' all.stats shuffled.stats

samples=$("$N" calibrate stats all.stats | sed -n 's/^\([0-9]*\) samples.*/\1/p')
for n in 2 7; do
    i=1 shards=
    while [ $i -le $n ]; do
        "$N" calibrate "$M" --data "$D" $OPTIONS --shard $i/$n -o s$i.stats --force -q || fail "shard $i/$n"
        shards="s$i.stats $shards"
        i=$((i + 1))
    done
    run 0 "merge of $n" "$N" calibrate merge $shards -o merged.stats --force --expect "$samples"
    same "$n shards" all.stats merged.stats
done
run 1 'a shard is missing' "$N" calibrate merge s1.stats s2.stats -o less.stats --expect "$samples"
says 'error E1107'
run 65 'a shard twice' "$N" calibrate merge s1.stats s1.stats -o twice.stats
says 'error E1102'
absent 'nothing is written then' twice.stats
run 0 'an empty shard' "$N" calibrate "$M" --data "$D" --limit 1 --shard 2/2 -o empty.stats
shows '^0 samples'
run 65 'another kind' "$N" calibrate merge s1.stats empty.stats -o odd.stats
says 'error E1101'
"$N" calibrate "$M" --data "$D" $OPTIONS --image-scale 2 -o other.stats --limit 1 -q
run 65 'another recipe' "$N" calibrate merge s1.stats other.stats -o odd.stats
says 'the recipe is'

run 64 'a shard outside' "$N" calibrate "$M" --data "$D" --shard 5/4 -o x.stats
run 64 'a shard that is none' "$N" calibrate "$M" --data "$D" --shard many -o x.stats
run 64 'auto without a scheduler' "$N" calibrate "$M" --data "$D" --shard auto -o x.stats
SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=2 SLURM_ARRAY_TASK_COUNT=7 run 0 'a Slurm array' \
    "$N" calibrate "$M" --data "$D" $OPTIONS --shard auto -o slurm.stats
same 'its second task' slurm.stats s2.stats
JOB_COMPLETION_INDEX=1 JOB_COMPLETIONS=7 run 0 'a Kubernetes index' \
    "$N" calibrate "$M" --data "$D" $OPTIONS --shard auto -o k8s.stats
same 'index 1' k8s.stats s2.stats

# what an interrupted run leaves is a shard of it: go on from one
"$N" calibrate "$M" --data "$D" $OPTIONS --shard 1/2 -o half.stats -q
cp half.stats resumed.stats.partial
run 0 'resume' "$N" calibrate "$M" --data "$D" $OPTIONS --resume -o resumed.stats
same 'resumed' all.stats resumed.stats
absent 'the partial file is gone' resumed.stats.partial
cp other.stats wrong.stats.partial
run 65 'resume of another run' "$N" calibrate "$M" --data "$D" $OPTIONS --resume -o wrong.stats
says 'error E1101'
"$N" calibrate "$M" --data "$D" $OPTIONS -o killed.stats -q &
pid=$!
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
run 0 'after SIGKILL' "$N" calibrate "$M" --data "$D" $OPTIONS --resume -o killed.stats --force
same 'the same bytes' all.stats killed.stats

run 0 'the table' "$N" calibrate stats all.stats
shows '^tensor +elements +min +max'
printf 'no statistics' >bad.stats
run 65 'no statistics' "$N" calibrate stats bad.stats
says 'error E1100'
run 64 'an action that does not exist' "$N" calibrate merg all.stats x
run 64 'no data' "$N" calibrate "$M" -o x.stats
run 0 'JSON' "$N" calibrate "$M" --data "$D" --limit 2 -o j.stats --json
shows '"samples": 2'
finish
