# Limits and signals: each ends a command with its status, a message that names the remedy, and nothing written.
. "$(dirname "$0")/lib.sh"
model=$root/examples/ppocr2-cls/model.onnx

run 75 'too little memory to read' "$N" opt "$model" -o x.onnx --max-memory 300K
says 'error E0003'
says 'hint: raise --max-memory'
run 75 'too little memory to run' "$N" run "$model" --shape x=1,3,48,192 --data random:2 -o x.npz --max-memory 3M
says 'error E0003'
run 75 'too many nodes' "$N" opt "$model" -o x.onnx --max-nodes 100
says 'hint: raise --max-nodes'
run 75 'too late' "$N" run "$model" --shape x=1,3,48,192 --data random:100000 -o x.npz --timeout 0.2
says 'error E0005'
absent 'nothing is written' x.npz
run 64 'an unknown input' "$N" run "$model" --shape y=1,3,48,192 --data random:2 -o x.npz
says 'hint: there are: x'
run 64 'an unknown dimension' "$N" run "$model" --dim batch=1 --data random:2 -o x.npz
run 64 'another rank' "$N" run "$model" --shape x=1,3 --data random:2 -o x.npz
says 'expected 4 sizes'
run 64 'no shape at all' "$N" run "$model" --shape x --data random:2 -o x.npz
run 66 'a model that is missing' "$N" run none.onnx --data random:2 -o x.npz
run 66 'a model that is a folder' "$N" run . --data random:2 -o x.npz
mkfifo fifo
run 66 'a model that is a FIFO' "$N" run fifo --data random:2 -o x.npz
run 64 'no samples' "$N" run "$model" -o x.npz
run 65 'a model that is none' "$N" opt "$root/README.md" -o x.onnx

# signal NAME STATUS SIGNALS...: sends them 0.2 s apart to a long run
signal() {
    name=$1 want=$2
    shift 2
    "$N" run "$model" --shape x=1,3,48,192 --data random:1000000 -o x.npz >"$out" 2>"$err" &
    pid=$!
    sleep 0.3
    for s in "$@"; do
        kill -s "$s" $pid
        sleep 0.2
    done
    wait $pid
    got=$?
    if [ $got -eq "$want" ]; then pass "$name"; else fail "$name" && echo "   status $got, expected $want"; fi
    absent "$name: nothing is written" x.npz
}
signal 'TERM asks to stop' 130 TERM
says 'error E0006'
signal 'HUP asks to stop' 130 HUP
case $BUILD in
*san) ;; # the sanitizer's own report is worth more
*)
    signal 'a crash' 70 SEGV
    says 'error E0001: internal error'
    ;;
esac
finish
