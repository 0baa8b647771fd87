/* Texts of kernel_status. */
#include "kernels/kernel.h"

const char *kernel_error(int status)
{
    static const char *const texts[] = {
        [KERNEL_OK] = "no error",
        [KERNEL_TYPE] = "the element type is not supported",
        [KERNEL_SHAPE] = "the shapes do not fit together",
        [KERNEL_ZERO] = "integers are divided by zero",
        [KERNEL_INDEX] = "an index is outside its axis",
        [KERNEL_VALUE] = "a parameter is outside its range",
        [KERNEL_MEMORY] = "working memory was refused",
    };
    return status >= 0 && (size_t)status < sizeof texts / sizeof texts[0] ? texts[status]
                                                                          : "unknown error";
}
