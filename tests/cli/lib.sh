# Sourced by the tests in this folder: a scratch folder, and steps that print "ok NAME" or "not ok NAME".
#
#   run 0 'info shows the nodes' "$N" info model.onnx     status, name, command; output in $out, messages in $err
#   shows 'Conv' / says 'error E0007'                      the last command's output or messages match (grep -E)
#   same 'two runs' a b                                    two files hold the same bytes
#   check 'name' command ...                               status 0
set -u
unset $(env | sed -n 's/^\(NPUPREP_[A-Z0-9_]*\)=.*/\1/p') NO_COLOR CLICOLOR_FORCE COLUMNS 2>/dev/null || true
LC_ALL=C
export LC_ALL
root=$(cd "$(dirname "$0")/../.." && pwd)
case ${BUILD:=build} in /*) ;; *) BUILD=$root/$BUILD ;; esac
N=$BUILD/npuprep
DATA=${DATA:-}
FULL=${FULL:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2
out=$work/.out err=$work/.err
failures=0

pass() { echo "ok $1"; }
fail() {
    echo "not ok $1"
    failures=$((failures + 1))
    [ ! -s "$out" ] || { echo "   output:" && head -n 20 "$out" | sed 's/^/     /'; }
    [ ! -s "$err" ] || { echo "   messages:" && head -n 20 "$err" | sed 's/^/     /'; }
}
run() {
    want=$1 name=$2
    shift 2
    "$@" >"$out" 2>"$err" </dev/null
    got=$?
    if [ "$got" -eq "$want" ]; then pass "$name"; else
        fail "$name"
        echo "   status $got, expected $want: $*"
    fi
}
matches() { if grep -qE -e "$2" "$1"; then pass "$3"; else fail "$3" && echo "   nothing matches: $2"; fi; }
shows() { matches "$out" "$1" "${2:-$name: shows $1}"; }
says() { matches "$err" "$1" "${2:-$name: says $1}"; }
quiet() { if [ -s "$err" ]; then fail "$name: says nothing"; else pass "$name: says nothing"; fi; }
same() { if cmp -s "$2" "$3"; then pass "$1"; else fail "$1" && echo "   $2 and $3 differ"; fi; }
check() {
    name=$1
    shift
    if "$@" >"$out" 2>"$err" </dev/null; then pass "$name"; else fail "$name"; fi
}
absent() { if [ -e "$2" ] || [ -L "$2" ]; then fail "$1" && echo "   $2 exists"; else pass "$1"; fi; }
empty_folder() { if [ -z "$(ls -A "$2")" ]; then pass "$1"; else fail "$1" && ls -A "$2"; fi; }
finish() { exit $((failures > 0)); }
