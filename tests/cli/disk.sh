# Disks that are full, folders that cannot be written, processes that are killed: a clear error and nothing left behind, or
# the old file, or the new one.
. "$(dirname "$0")/lib.sh"
model=$root/examples/ppocr2-cls/model.onnx

mkdir limited
run 74 'a file size limit' sh -c 'ulimit -f 100; exec "$0" opt "$1" -o limited/x.onnx' "$N" "$model"
says 'error E0011: cannot write .limited/x.onnx.: File too large'
empty_folder 'leaves nothing' limited
run 74 'a file size limit with external data' sh -c 'ulimit -f 100; exec "$0" opt "$1" -o limited/x.onnx --external-data always' \
    "$N" "$model"
empty_folder 'leaves nothing either' limited
run 74 'a full device' "$N" opt "$model" -o /dev/full
run 73 'a folder that nobody can write' "$N" opt "$model" -o /proc/x.onnx
run 73 'a folder that is a file' "$N" opt "$model" -o "$model/x.onnx"

# A small disk of its own, and one mounted read-only: needs a mount namespace.
cat >small.sh <<'S'
mkdir disk locked && mount -t tmpfs -o size=300k none disk && mount -t tmpfs -o ro none locked || exit 99
"$1" opt "$2" -o locked/x.onnx 2>locked.err
[ $? -eq 73 ] && grep -q 'E0010' locked.err || exit 1
"$1" opt "$2" -o disk/x.onnx 2>disk.err
[ $? -eq 74 ] && grep -q 'No space left' disk.err && [ -z "$(ls -A disk)" ] || exit 2
echo old >disk/x.onnx
"$1" opt "$2" -o disk/x.onnx --force --external-data always 2>disk.err
[ $? -eq 74 ] && [ "$(ls -A disk)" = x.onnx ] && [ "$(cat disk/x.onnx)" = old ] || exit 3
S
if unshare -rm true 2>/dev/null; then enter='unshare -rm'; else enter='unshare -m'; fi
if $enter sh -c 'mount -t tmpfs none /mnt' 2>/dev/null; then
    run 0 'a small disk and a read-only one' $enter sh small.sh "$N" "$model"
else
    echo 'skipped 1 (no mount namespace here)'
fi

# SIGKILL. Two good states, A with a data file beside the model and B without; every kill must leave one of them, whole.
make_state() { exec "$N" opt "$model" --external-data "$2" -o "$1/x.onnx" --force -q >/dev/null 2>&1; }
mkdir a b new over
(make_state a always)
(make_state b never)
# whole FOLDER: x.onnx is that of a or b, and the data file that this one names is there
whole() {
    if cmp -s "$1/x.onnx" b/x.onnx; then return 0; fi
    cmp -s "$1/x.onnx" a/x.onnx && cmp -s a/x.*.data "$1/$(basename a/x.*.data)"
}
check 'state A is whole' whole a
check 'state B is whole' whole b
check 'they differ' sh -c '! cmp -s a/x.onnx b/x.onnx'
kills=25
[ -z "$FULL" ] || kills=200
killed() { # FOLDER always|never MILLISECONDS
    make_state "$1" "$2" &
    sleep "$(printf '0.%03d' "$3")"
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
}
cp b/* over
partial=0 absent=0 i=0
while [ $i -lt $kills ]; do
    after=$((i * 37 % 60))
    killed new always $after
    if [ -e new/x.onnx ]; then whole new || partial=$((partial + 1)); else absent=$((absent + 1)); fi
    rm -rf new && mkdir new
    if [ $((i % 2)) -eq 0 ]; then killed over always $after; else killed over never $after; fi
    whole over || partial=$((partial + 1))
    i=$((i + 1))
done
check "$kills kills while writing and $kills while overwriting leave nothing partial" test $partial -eq 0
check 'some came before the end' test $absent -gt 0
check 'the overwritten model still runs' "$N" run over/x.onnx --data "$root/examples/ppocr2-cls/eval" --limit 1 -o o.npz
finish
