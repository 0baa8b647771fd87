# The command frame: usage errors and their statuses, outputs, --json, limits, signals.
. "$(dirname "$0")/lib.sh"

run 0 'the version' "$N" --version
shows '^npuprep [0-9]+\.[0-9]+\.[0-9]+$'
run 64 'no command' "$N"
says 'usage: npuprep COMMAND'
run 64 'a command that does not exist' "$N" explian
says "did you mean 'npuprep explain'"
run 64 'an option that does not exist' "$N" list errors --jsn
says 'error E0016: unknown option .--jsn'
says 'hint: did you mean --json'
run 64 'a letter that does not exist' "$N" list errors -Z
run 64 'a value that is no number' "$N" list errors -t many
says "error E0018: --threads: 'many' given, expected an integer in 0..1024"
run 64 'a value out of range' "$N" list errors -t -1
run 64 'a choice that does not exist' "$N" list errors --color=sometimes
says 'expected one of auto\|always\|never'
run 64 'a value that is missing' "$N" list errors --threads
run 64 'a size that is none' "$N" list errors --max-memory 4X
run 64 'too few arguments' "$N" list
says 'hint: usage: npuprep list'
run 64 'too many arguments' "$N" list errors passes
run 64 'an unknown kind' "$N" list erors
says "did you mean 'errors'"
run 64 'an unknown message' "$N" explain E9999
run 0 'a message with a small letter and without zeros' "$N" explain e7
shows '^E0007 \(error\)'
run 0 'options after --' "$N" list -q -- errors
run 0 'a cluster and an attached value' "$N" list -qt2 errors
run 0 'a flag taken back' "$N" list errors --force --no-force --force=false

# every message can be explained, and says what to do
"$N" list errors | sed 1d | while read -r id rest; do
    "$N" explain "$id" | grep -q '^What to do: .' || echo "$id"
done >unexplained
check 'every message can be explained' test ! -s unexplained

run 0 'text into a file' "$N" list errors -o list.txt
quiet
run 73 'not over an existing file' "$N" list errors -o list.txt
says 'error E0009'
run 0 'with --force over it' "$N" list errors -o list.txt --force
"$N" list errors >direct.txt
same 'the file holds what stdout would' list.txt direct.txt
run 0 '- is stdout' "$N" list errors -o -
same 'and gives the same' "$out" direct.txt
run 73 'a folder that is not there' "$N" list errors -o no/such/x
absent 'nothing was made' no
run 73 'a JSON file that cannot be made' "$N" list errors --json=no/x.json
run 74 'a full disk' "$N" list errors -o /dev/full
says 'error E0011'
run 74 'a full standard output' sh -c '"$0" list errors >/dev/full' "$N"
run 0 'a closed standard output of a quiet command' sh -c '"$0" list errors -o f.txt >&- 2>&-' "$N"
run 66 '--dry-run names an input that is missing' "$N" list errors --dry-run --config none.json
check 'a reader that stops early is no failure of ours' sh -c '"$0" list errors | head -n 1 >/dev/null' "$N"

run 0 'a JSON document' "$N" explain 3 --json
shows '"schema": "npuprep.explain/1"'
run 0 'a JSON document in a file, and text' "$N" explain 3 --json=x.json
shows '^E0003'
check 'the document is there' grep -q '"exit_status": 0' x.json
run 73 'the document is not written over a file' "$N" explain 3 --json=x.json
run 64 'a document of a failure' "$N" list erors --json
shows '"exit_status": 64'
shows '"id": "E0022"'
shows '"hint": "did you mean .errors.\?"'
cp "$out" failed.json
check 'it fits the schema' "$BUILD/tests/check_schema" "$root/src/report/schema/list.json" failed.json

run 0 'messages of a terminal are escaped' "$N" explain 3
run 64 'an escape sequence in an argument' "$N" list "$(printf 'a\033[2Jb')"
says 'a\\x1b\[2Jb'
run 64 'colour on demand' "$N" list erors --color always
says "$(printf '\033\\[1;31merror')"
run 64 'no colour in a pipe' "$N" list erors
says '^npuprep: error E0022'
finish
