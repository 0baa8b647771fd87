/* The only door to the heap outside arenas. Process-wide accounting against --max-memory.
 *
 * mem_alloc & co. never return NULL: small bookkeeping that cannot be had ends the process through
 * the panic handler (exit status 75). mem_try_alloc is for anything whose size comes from input: it
 * returns NULL when the budget or the system refuses, and the caller reports E_LIMIT_MEMORY with
 * the place. All memory is zeroed except by mem_try_alloc_raw. Blocks are aligned to 64 bytes from
 * 4 KiB up, else to 16.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H
#include <stddef.h>

void *mem_alloc(size_t bytes);                /* returns owned, zeroed */
void *mem_realloc(void *block, size_t bytes); /* the grown part is not zeroed */
void *mem_try_alloc(size_t bytes);            /* returns owned and zeroed, or NULL */
void *mem_try_alloc_raw(size_t bytes);        /* same, contents indeterminate */
void mem_free(void *block);                   /* NULL is allowed */

void mem_set_limit(size_t bytes); /* 0: no limit (the start) */
size_t mem_limit(void);
size_t mem_in_use(void); /* bytes held by blocks of this module */
size_t mem_peak(void);

/* Called when bookkeeping memory cannot be had; must not return. Default: message and _exit(75). */
void mem_set_panic(void (*handler)(size_t bytes));
#endif
