# Disks that are full and folders that cannot be written: a clear error, and nothing left behind or the old file. What a kill
# leaves is in tests/kill.sh.
. "$(dirname "$0")/lib.sh"
model=$root/examples/ppocr2-cls/model.onnx

mkdir limited
run 74 'a file size limit' sh -c 'ulimit -f 100; exec "$0" opt "$1" -o limited/x.onnx' "$N" "$model"
says 'error E0011: cannot write the file: File too large .limited/x.onnx'
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

finish
