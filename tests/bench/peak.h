/* How many multiply-adds the machine can do in a second. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H
double peak_macs(int threads); /* float32 multiply-accumulates per second, all threads together */
#endif
