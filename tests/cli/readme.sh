# The README's table "Where do I add ...?" is true: in a copy of the tree each thing is added as the table says, one file and
# one row, and shows up where a user looks for it.
. "$(dirname "$0")/lib.sh"

# It tests the tree, not the binary: once is enough, and the copied dependency files name the folder build.
if [ "$(basename "$BUILD")" != build ]; then
    echo "skipped 1"
    exit 0
fi

cp -rp "$root/src" "$root/passes" "$root/proto" "$root/man" "$root/Makefile" .
cp -rp "$BUILD" build # objects are reused: only what changed is built again
names() { sed -n '/^## Where do I add/,/^## Layers/s/^| \(an\{0,1\} [A-Za-z ]*\) |.*/\1/p' "$root/README.md"; }

check 'the table has its rows' test "$(names | wc -l)" -eq 7

cat >src/ops/dummy_op.c <<'C'
/* An operator that copies. */
#include "ops/op_impl.h"
int infer_dummy(struct infer *c)
{
    infer_out_like(c, 0, 0);
    return 0;
}
C
echo 'OP(ONNX, Dummy, OP_MOVES, dummy, none, none, SAME, none, V(1,1,1,1,1,"T>T T=all",))' >>src/ops/ops.def

sed 's/"name": "int8"/"name": "dummy-npu"/; s/"summary": "[^"]*"/"summary": "a dummy NPU"/' src/targets/int8.json \
    >src/targets/dummy-npu.json

cat >src/data/dummydata.c <<'C'
/* A sample format that knows no file. */
#include "data/data.h"
static bool probe(const char *path, struct span head, bool folder)
{
    (void)path, (void)head, (void)folder;
    return false;
}
const struct data_format data_dummydata = {.name = "dummydata", .summary = "a dummy format", .probe = probe};
C
echo 'DATA(dummydata)' >>src/data/data.def

cat >src/encodings/dummy_enc.c <<'C'
/* An encodings format that says nothing. */
#include "encodings/encodings.h"
static bool probe(const json_t *root)
{
    (void)root;
    return false;
}
static void write(const struct encodings_source *s, struct json_writer *w)
{
    (void)s;
    jw_object(w);
    jw_end(w);
}
const struct encodings_format encodings_dummy_enc = {
    .version = "9.9.9", .summary = "a dummy encodings format", .probe = probe, .write = write};
C
echo 'ENCODINGS(dummy_enc)' >>src/encodings/encodings.def

cat >src/cmd/cmd_dummy.c <<'C'
/* A command that does nothing. */
#include "cmd/cmd.h"
static int run(struct cmd *cmd)
{
    cmd_print(cmd->out, "dummy\n");
    return 0;
}
const struct command CMD_DUMMY = {.name = "dummy", .summary = "do nothing", .arguments = "",
                                  .description = "It does nothing.", .run = run};
C
echo 'CMD(dummy, DUMMY)' >>src/cmd/cmds.def

cat >passes/dummy_pass.c <<'C'
/* A pass that changes nothing. */
#include "rewrite/rewrite.h"
int run_dummy_pass(struct pass_run *r, struct model *m)
{
    (void)r, (void)m;
    return 0;
}
C
echo 'RUN(dummy_pass, "dummy-pass", EXACT, 9, 0, 0, "do nothing")' >>passes/passes.def

run 0 'the copy builds' make -j2 BUILD=build CC="${CC:-cc}" SANITIZE="${SANITIZE:-}" O="${O:--O2}" build/npuprep build/man/npuprep-dummy.1
D=$work/build/npuprep
run 0 'a pass' "$D" list passes
shows '^dummy-pass '
run 0 'an operator' "$D" list ops
shows '^Dummy '
run 0 'an NPU' "$D" list targets
shows '^dummy-npu +a dummy NPU'
run 0 'a sample format' "$D" list formats
shows '^dummydata '
run 0 'an encodings format' "$D" list formats
shows '^9.9.9 +.*a dummy encodings format'
run 0 'a subcommand' "$D" help
shows '^  dummy +do nothing'
run 0 'it runs' "$D" dummy
shows '^dummy$'
check 'it has a manual page' grep -q 'npuprep.-dummy' build/man/npuprep-dummy.1

# An error number is part of every object, so a whole build would be all anew: its table alone is enough here.
echo 'ERR(DUMMY, 9999, NOTE, NONE, "a dummy message", "nothing to do")' >>src/base/errors.def
cat >error.c <<'C'
#include <stdio.h>
#include "base/diag.h"
int main(void) { return puts(err_find(E_DUMMY)->title) < 0; }
C
run 0 'an error' sh -c "${CC:-cc} -std=c11 -D_GNU_SOURCE -Isrc -o error error.c src/base/diag.c src/base/arena.c \
    src/base/mem.c src/base/vec.c -lpthread && ./error"
shows '^a dummy message$'
finish
