# The integer kernels against TFLite's vectors, exactly. tests/vectors/unusable.txt names the files that cannot be met and why:
# each of them must still fail, every other one must pass.
. "$(dirname "$0")/lib.sh"

vectors=${DATA:+$DATA/data/tflite-kernels}
if [ -z "$vectors" ] || [ ! -d "$vectors" ]; then
    echo "skipped 1"
else
    "$BUILD/tests/kernel_vectors" "$vectors" >out.txt
    sed -n 's/^\([A-Za-z0-9_]*\): output.*/\1/p' out.txt | sort >failed.txt
    grep -v '^#' "$root/tests/vectors/unusable.txt" | sort >listed.txt
    if cmp -s failed.txt listed.txt; then pass "$(tail -1 out.txt)"; else fail 'vectors' && diff listed.txt failed.txt; fi
fi
finish
