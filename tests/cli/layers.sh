# The include check passes on this tree and fails on a planted upward include.
. "$(dirname "$0")/lib.sh"

check 'no layer includes a higher one' sh "$root/tests/check_layers.sh" "$root"
mkdir copy && cp -r "$root/src" "$root/passes" copy
for plant in 'src/base/vec.c ir/ir.h' 'src/kernels/float/conv.c ops/op.h' 'src/ops/op.c cmd/cmd.h' 'src/data/npy.c ops/op.h'; do
    file=${plant% *} header=${plant#* }
    cp "copy/$file" kept
    printf '  #  include  "%s"\n' "$header" >>"copy/$file"
    run 1 "$file must not include $header" sh "$root/tests/check_layers.sh" copy
    shows "$file.*must not include $header"
    cp kept "copy/$file"
done
mkdir copy/src/attic && echo '#include "base/vec.h"' >copy/src/attic/x.c
run 1 'a folder that is no layer is named' sh "$root/tests/check_layers.sh" copy
finish
