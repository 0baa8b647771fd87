#!/bin/sh
# embed.sh DIR: C source with every DIR/*.json as a row of {name, text, size}; the text is NUL-terminated.
set -eu
echo '/* Generated from the target profiles. */'
echo '#include "targets/embedded.h"'
names=''
for file in "$1"/*.json; do
    [ -f "$file" ] || continue
    name=$(basename "$file" .json)
    id=$(printf '%s' "$name" | tr -c 'a-zA-Z0-9' '_')
    printf 'static const unsigned char text_%s[] = {\n' "$id"
    od -An -v -tu1 "$file" | sed 's/  */ /g; s/^ //; s/ /,/g; s/$/,/'
    echo '0};'
    names="$names$name $id
"
done
echo 'const struct embedded_target EMBEDDED_TARGETS[] = {'
printf '%s' "$names" | while read -r name id; do
    printf '    {"%s", (const char *)text_%s, sizeof text_%s - 1},\n' "$name" "$id" "$id"
done
echo '    {0, 0, 0}};'
