/* argv in, exit status out: the only call of exit() in npuprep. */
#include <stdlib.h>

#include "cmd/cmd.h"

int main(int argc, char **argv) { exit(cmd_main(argc, argv)); }
