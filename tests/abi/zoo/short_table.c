/* Says that its table ends before the functions. */
#define ZOO_TYPE "short_table"
#define ZOO_STRUCT_SIZE 64
#include "minimal.h"
