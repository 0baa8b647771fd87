/* A table of path copies read by signal handlers: each slot is published and withdrawn by one
 * atomic pointer. */
#include "base/cleanup.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { SLOTS = 1024 }; /* far above the files one command writes at a time */

static _Atomic(char *) slots[SLOTS];

int cleanup_add(const char *path)
{
    size_t size = strlen(path) + 1;
    char *copy = mem_alloc(size);
    memcpy(copy, path, size);
    for (int i = 0; i < SLOTS; i++) {
        char *none = NULL;
        if (atomic_compare_exchange_strong(&slots[i], &none, copy))
            return i;
    }
    mem_free(copy);
    return -1;
}

void cleanup_drop(int slot)
{
    if (slot >= 0)
        mem_free(atomic_exchange(&slots[slot], NULL));
}

void cleanup_run(void)
{
    for (int i = SLOTS; i-- > 0;) {
        char *path = atomic_load(&slots[i]);
        if (path && unlink(path) != 0)
            (void)rmdir(path);
    }
}
