#!/bin/sh
# run.sh TARGET SECONDS SEED...: builds tests/fuzz/fuzz_TARGET.c with clang's libFuzzer, AddressSanitizer and UBSan, and runs it on one
# core. The corpus stays in $BUILD/fuzz/TARGET; a crashing input in $BUILD/fuzz. Exit status 0: nothing was found.
set -eu
cd "$(dirname "$0")/../.."
target=$1 seconds=$2
shift 2
CLANG=${CLANG:-clang} BUILD=${BUILD:-build}
out=$BUILD/fuzz corpus=$BUILD/fuzz/$target
flags="-std=c11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -fsanitize=address,undefined
       -fno-sanitize-recover=undefined -Isrc -I$out/gen $(pkg-config --cflags libprotobuf-c libxxhash nettle jansson)"
mkdir -p "$out/gen" "$corpus"
(cd proto && protoc-c --c_out="$OLDPWD/$out/gen" onnx.proto) 2>/dev/null || protoc-c --proto_path=proto --c_out="$out/gen" proto/onnx.proto
objects=
for source in "$out"/gen/onnx.pb-c.c src/base/*.c src/ir/*.c src/onnx/*.c; do
    object=$out/$(echo "$source" | tr / _).o
    if [ ! "$object" -nt "$source" ] || [ -n "$(find src -name '*.h' -newer "$object" | head -n 1)" ]; then
        $CLANG $flags -fsanitize=fuzzer-no-link -c "$source" -o "$object"
    fi
    objects="$objects $object"
done
$CLANG $flags -fsanitize=fuzzer "tests/fuzz/fuzz_$target.c" $objects -o "$out/fuzz_$target" \
    $(pkg-config --libs libprotobuf-c libxxhash nettle jansson libzip zlib) -lpthread -lm
n=0
for seed in "$@"; do
    n=$((n + 1))
    cp "$seed" "$corpus/seed-$n"
done
exec "$out/fuzz_$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$out/" "$corpus"
