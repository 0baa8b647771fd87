# No fused multiply-add anywhere: products and sums round one by one, so that every processor and compiler gives the same bits.
# Looked at in the machine code, as compilers make some against -ffp-contract=off. Only those of x86 have names of their own here.
. "$(dirname "$0")/lib.sh"

if ! command -v objdump >/dev/null || [ "$(uname -m)" != x86_64 ]; then
    echo "skipped 1"
    exit 0
fi
objdump -d "$BUILD/libnpuprep.a" >code
check 'there is code to look at' grep -qE 'mul[sp][sd]' code
grep -nE 'vf(n)?m(add|sub|addsub|subadd)[0-9]' code >fused
if [ -s fused ]; then fail "fused: $(head -n 1 fused)"; else pass 'nothing is fused'; fi
finish
