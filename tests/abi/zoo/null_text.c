/* A description of four bytes at address 0. */
#define ZOO_TYPE "null_text"
#define ZOO_DESCRIPTION                                                                            \
    { NULL, 4 }
#include "minimal.h"
