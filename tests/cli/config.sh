# Options from --config and NPUPREP_*: precedence, origins, what is refused.
. "$(dirname "$0")/lib.sh"

value() { "$N" list errors --print-config "$@" | awk -v o="${option:-threads}" '$1 == o {print $2, $3}'; }
expect() {
    name=$1 want=$2
    shift 2
    got=$("$@" 2>"$err")
    if [ "$got" = "$want" ]; then pass "$name"; else fail "$name" && echo "   '$got', expected '$want'"; fi
}
echo '{"threads": 3, "verbose": 0, "force": true, "max-memory": "2G", "external-root": ["a", "b"]}' >c.json

expect 'default' '0 default' value
expect 'file over default' '3 file' value --config c.json
NPUPREP_THREADS=5
export NPUPREP_THREADS
expect 'environment over file' '5 environment' value --config c.json
expect 'flag over environment' '7 flag' value --config c.json -t 7
unset NPUPREP_THREADS
option=force
expect 'a flag in a file' 'true file' value --config c.json
expect 'a flag taken back' 'false flag' value --config c.json --no-force
option=external-root
expect 'a list in a file' 'a,b file' value --config c.json
expect 'a list of a flag replaces it' 'x,y flag' value --config c.json --external-root x --external-root y
NPUPREP_EXTERNAL_ROOT='p
q' expect 'a list in a variable, one a line' 'p,q environment' env NPUPREP_EXTERNAL_ROOT='p
q' sh -c '"$0" list errors --print-config | awk "\$1 == \"external-root\" {print \$2, \$3}"' "$N"
option=max-memory
expect 'a size as text' '2G file' value --config c.json

run 0 'the file named by a variable' env NPUPREP_CONFIG=c.json "$N" list errors --print-config
shows '^threads +3 +file'
run 0 'origins as JSON' "$N" list errors --print-config --json --config c.json
shows '"origin": "file"'
run 66 'a file that is missing' "$N" list errors --config none.json
says 'error E0007'
refuse() {
    printf '%s' "$2" >bad.json
    run 78 "$1" "$N" list errors --config bad.json
    says "$3"
}
refuse 'a key that is no option' '{"thraeds": 3}' "did you mean 'threads'"
refuse 'a value of the wrong kind' '{"threads": "many"}' "expected an integer"
refuse 'a value that is no plain one' '{"threads": [1]}' "not a plain value"
refuse 'a number out of range' '{"threads": 4096}' "expected an integer in 0..1024"
refuse 'broken JSON' '{"threads": 3' 'line 1, column'
refuse 'a key twice' '{"threads": 3, "threads": 4}' 'duplicate'
refuse 'no object' '[1]' 'not a JSON object'
refuse 'NaN' '{"threads": NaN}' 'line 1'
refuse 'deep nesting' "$(printf '%0100d' 0 | sed 's/0/[/g')" 'deeper than 64'
run 78 'a variable with a bad value' env NPUPREP_THREADS=x "$N" list errors
says 'NPUPREP_THREADS'
run 0 'a variable of no option is mentioned' env NPUPREP_THRAEDS=1 "$N" list errors
says 'warning E0021'
run 0 'an empty variable is none' env NPUPREP_THREADS= "$N" list errors
quiet
finish
