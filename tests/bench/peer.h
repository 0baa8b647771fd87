/* The peer: ONNX Runtime through its C interface, loaded at run time from the shared library that
 * the environment variable ORT names. Nothing of it is needed to compile this.
 *
 * OrtGetApiBase() gives {GetApi(version), GetVersionString()}; GetApi(v) gives a table of function
 * pointers that only grows at its end (onnxruntime_c_api.h), so that the places of the functions of
 * version 1 are facts of the binary interface.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H
#include <stdbool.h>
#include <stddef.h>

#include "ir/ir.h"

struct peer;
struct peer_session;

struct peer *peer_open(const char **why); /* NULL: *why says why it cannot be used */
void peer_close(struct peer *p);
const char *peer_version(const struct peer *p);

/* A session whose operators use `threads` threads; inputs and outputs as the graph names them.
 * in: one tensor per graph input, borrowed; NULL: not given. NULL: peer_error says why. */
struct peer_session *peer_session_open(struct peer *p, const char *path, const struct graph *g,
                                       const struct tensor *const *in, int threads);
void peer_session_close(struct peer_session *s);
bool peer_run(const struct peer_session *s); /* thread-safe; outputs are made and dropped */
const char *peer_error(const struct peer *p);
#endif
