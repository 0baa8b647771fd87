# make install, a C program against what was installed, uninstall; and with DESTDIR.
. "$(dirname "$0")/lib.sh"
make_root() { make -C "$root" BUILD="$BUILD" "$@"; }

run 0 'install' make_root install PREFIX="$work/usr"
for file in bin/npuprep lib/libnpuprep.a include/npuprep.h lib/pkgconfig/npuprep.pc share/man/man1/npuprep.1 \
    share/man/man1/npuprep-list.1 share/npuprep/schema/common.json share/bash-completion/completions/npuprep \
    share/zsh/site-functions/_npuprep share/fish/vendor_completions.d/npuprep.fish; do
    check "there is $file" test -s "usr/$file"
done
run 0 'the installed program' usr/bin/npuprep list errors

# The program of npuprep.h's head, as a user would copy it.
sed -n 's/^ \*   //p' usr/include/npuprep.h >fold.c
check 'the example has at most 20 lines' test "$(wc -l <fold.c)" -le 20
PKG_CONFIG_PATH=$work/usr/lib/pkgconfig
export PKG_CONFIG_PATH
check 'pkg-config knows it' pkg-config --exists npuprep
sanitize=$(echo "${MAKEFLAGS:-}" | grep -o 'fsanitize=[a-z,]*' | head -n 1)
run 0 'the example compiles and links' sh -c "${CC:-cc} ${sanitize:+-$sanitize} -Wall -Wextra -Werror -o fold fold.c \
    \$(pkg-config --cflags --libs npuprep)"
cp "$root/examples/ppocr2-cls/model.onnx" model.onnx
run 0 'it loads, folds and saves' ./fold
shows '^[1-9][0-9]* rewrites$'
run 0 'what it saved loads' "$N" opt folded.onnx --passes fold-batchnorm -o again.onnx --json
shows '"rewrites": 0' 'and nothing is left to fold'
rm model.onnx
run 1 'it fails without a model' ./fold
says 'E0007: cannot open the file: No such file or directory .model.onnx'
says 'hint: '

run 0 'uninstall' make_root uninstall PREFIX="$work/usr"
check 'no file is left' test -z "$(find usr -type f)"
run 0 'DESTDIR' make_root install DESTDIR="$work/stage" PREFIX=/opt/npuprep
check 'it lies below it' test -x stage/opt/npuprep/bin/npuprep
check 'and does not know it' grep -q '^prefix=/opt/npuprep$' stage/opt/npuprep/lib/pkgconfig/npuprep.pc
finish
