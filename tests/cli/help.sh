# Every command's -h, its manual page, the completion scripts: they agree and are well-formed.
. "$(dirname "$0")/lib.sh"

run 0 'help lists the commands' "$N" help
cp "$out" overview
run 0 '--help is help' "$N" --help
same 'and says the same' "$out" overview
run 64 'help of an unknown command' "$N" help explian
says "did you mean 'explain'"
commands=$(sed -n 's/^CMD.\([a-z0-9]*\),.*/\1/p' "$root/src/cmd/cmds.def")
for c in $commands; do
    run 0 "$c -h" "$N" "$c" -h
    shows "^usage: npuprep $c " "$c -h: usage"
    shows '^Common options:' "$c -h: common options"
    cp "$out" "$c.help"
    check "$c -h fits 80 columns" sh -c '! grep -v "^ *npuprep\|^usage" "$0" | grep -q ".\{81\}"' "$c.help"
    run 0 "help $c" "$N" help "$c"
    same "$c -h and help $c are one" "$out" "$c.help"
    page=$BUILD/man/npuprep-$c.1
    check "$c has a manual page" test -s "$page"
    # the options of -h, and those of the page
    sed -n 's/^\(  -[a-zA-Z], \|      \)--\([a-z0-9-]*\).*/\2/p' "$c.help" | sort >options.help
    sed -n 's/^\(\\fB\\-[a-zA-Z]\\fR, \)\{0,1\}\\fB\\-\\-\([a-z0-9\\-]*\)\\fR.*/\2/p' "$page" | tr -d '\\' | sort >options.page
    check "$c: -h shows options" test -s options.help
    same "$c: the page has the options of -h" options.help options.page
    grep -q "npuprep.-$c" "$BUILD/man/npuprep.1" || fail "npuprep(1) names $c"
    if command -v man >/dev/null 2>&1; then
        MANWIDTH=80 man --warnings -E UTF-8 -l "$page" >"$out" 2>"$err"
        quiet
    fi
    if "$N" help | grep -q "^  $c "; then pass "$c is in the overview"; else fail "$c is in the overview"; fi
done
check 'the page of npuprep has no mark left' sh -c '! grep -q "^@\|@VERSION@" "$0"' "$BUILD/man/npuprep.1"

# The completion is used, not only parsed.
if command -v bash >/dev/null 2>&1; then
    cat >complete.bash <<'B'
. "$1"
complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _npuprep; printf '%s\n' "${COMPREPLY[@]}"; }
touch model.onnx
complete_line npuprep exp
complete_line npuprep list --col
complete_line npuprep list --color ''
complete_line npuprep list --color = al
complete_line npuprep list err
complete_line npuprep list --config mod
B
    run 0 'bash completion works' bash complete.bash "$BUILD/completion/npuprep.bash"
    printf 'explain\n--color\nauto\nalways\nnever\nalways\nerrors\nmodel.onnx\n' >expected
    same 'and gives what is expected' "$out" expected
fi
for shell in zsh fish; do
    if command -v $shell >/dev/null 2>&1; then
        check "$shell accepts its completion" $shell -n "$BUILD/completion/npuprep.$shell"
    fi
done
finish
