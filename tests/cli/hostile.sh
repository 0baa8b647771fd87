# The table of tests/hostile: what is refused, is refused with its own identifier, within a second of processor time and 64 MB, and nothing is
# written; what is accepted comes back byte for byte. The memory bound does not hold for a build with sanitizers.
. "$(dirname "$0")/lib.sh"
measure=$BUILD/tests/measure
mkdir cases out
"$BUILD/tests/gen_hostile" cases >table || exit 2
memory=65536
ldd "$N" | grep -q asan && memory=1000000

while IFS="$(printf '\t')" read -r case verdict id options what; do
    [ "$options" = - ] && options=
    rm -rf out && mkdir out
    "$measure" "$N" opt --level 0 --external-data keep $options "cases/in/$case.onnx" -o out/o.onnx >"$out" 2>"$err" 3>figures </dev/null
    read -r status _ kb ms <figures
    name="$case: $what"
    problem=
    case $verdict in
    refuse)
        case $status in 65 | 66 | 69 | 75) ;; *) problem="status $status" ;; esac
        grep -q "$id" "$err" || problem="$problem, not $id"
        [ -z "$(ls -A out)" ] || problem="$problem, wrote something"
        [ "$ms" -lt 1000 ] || problem="$problem, $ms ms"
        [ "$kb" -lt $memory ] || problem="$problem, $kb kB"
        ;;
    *)
        [ "$status" -eq 0 ] || problem="status $status"
        cmp -s "cases/in/$case.onnx" out/o.onnx || problem="$problem, other bytes"
        case $id in
        -) [ -s "$err" ] && problem="$problem, says something" ;;
        E15*) ;;
        *) grep -q "$id" "$err" || problem="$problem, not $id" ;;
        esac
        ;;
    esac
    if [ -z "$problem" ]; then pass "$name"; else fail "$name" && echo "   ${problem#, }"; fi

    # check answers about the same file: 1 and the finding, or the same status for what is not about the model
    case $verdict,$id in
    refuse,E000*) ;;
    refuse,*)
        run 1 "check $case" "$N" check $options "cases/in/$case.onnx"
        shows "$id"
        ;;
    warn,*)
        "$N" check $options "cases/in/$case.onnx" >"$out" 2>"$err"
        name="check $case"
        shows "$id"
        ;;
    esac
done <table

# What is no regular file, and a path that is none.
run 66 'a folder' "$N" check cases
mkfifo pipe
run 66 'a FIFO' "$N" check pipe
run 66 'nothing' "$N" check nowhere.onnx
cp cases/in/ext-good.onnx .
"$N" check - <ext-good.onnx >"$out" 2>"$err"
name='external data of standard input'
shows E0318
(cd cases/in && "$N" check ext-good.onnx) >"$out" 2>"$err"
name='a bare name' && shows '^ext-good.onnx: valid'
(cd cases/in && "$N" check ext-parent.onnx) >"$out" 2>"$err"
name='a bare name, its folder left' && shows E0302
finish
