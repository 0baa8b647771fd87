# The same bits: every real model with 1, 2 and 4 threads and both engines; the reference engine also built by gcc -O0 and -O3 and by clang,
# and with AVX2 and FMA switched off in glibc, whose libm has variants of its functions for them. The builds and most models take minutes:
# with FULL=1 only. CC names the C compiler of the build under test, CLANG the other one.
. "$(dirname "$0")/lib.sh"

if [ ! -d "$DATA/models" ]; then
    echo 'skipped 1'
    exit 0
fi
some='mnist-cntk attacut-c asr-wespeaker silero-half vfl-filter-dynq' # without FULL
CC=${CC:-cc} CLANG=${CLANG:-clang}
# The name glibc 2.33 and later have for it; an unknown one changes nothing.
no_fma=glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F,-AVX2_Usable,-FMA_Usable

build() { # build NAME MAKE-VARIABLES: the program, in a folder beside the build under test
    name=$1
    shift
    check "builds: $name" make -C "$root" -j2 "BUILD=$BUILD-$name" "$@" "$BUILD-$name/npuprep"
}
answers() { # answers PROGRAM OUT OPTIONS...: of the model at hand
    program=$1 to=$2
    shift 2
    "$program" run "$model/model.onnx" --data "$samples" -o "$to" --force -q "$@" >"$out" 2>"$err"
}
like() { # like NAME ENGINE PROGRAM OPTIONS...: compares with what this engine answered first
    label=$1 engine=$2 program=$3
    shift 3
    answers "$program" now.npz --engine "$engine" "$@" && cmp -s "first-$engine.npz" now.npz || differing="$differing $label"
}

others=
if [ -n "$FULL" ]; then # other levels of optimization warn about other things
    build O0 "CC=$CC" HARDEN= 'CFLAGS=-O0 -Wno-error'
    build O3 "CC=$CC" 'CFLAGS=-O3 -Wno-error'
    others="O0 O3"
fi
if [ -n "$FULL" ] && command -v "${CLANG##* }" >/dev/null 2>&1; then
    build clang "CC=$CLANG" CFLAGS=-Wno-error
    others="$others clang"
fi
for name in $(if [ -n "$FULL" ]; then ls "$DATA/models"; else echo "$some"; fi); do
    model=$DATA/models/$name
    samples=$model/in.npz differing=
    [ -f "$model/model.onnx" ] || continue
    [ -f "$samples" ] || samples=random:1
    answers "$N" first-reference.npz --engine reference -t 1 || continue # what does not run says so elsewhere
    answers "$N" first-onednn.npz --engine onednn -t 1
    for threads in 2 4; do
        like "onednn-t$threads" onednn "$N" -t $threads
        like "reference-t$threads" reference "$N" -t $threads
    done
    for other in $others; do like "$other" reference "$BUILD-$other/npuprep" -t 2; done
    GLIBC_TUNABLES=$no_fma
    export GLIBC_TUNABLES
    like no-fma reference "$N" -t 2
    unset GLIBC_TUNABLES
    if [ -z "$differing" ]; then pass "$name"; else
        fail "$name:$differing"
    fi
done
finish
