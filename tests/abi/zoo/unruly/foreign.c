/* Changes the locale. */
#define ZOO_TYPE "foreign"
#define ZOO_IN_CREATE setlocale(LC_ALL, "C.UTF-8")
#include "good.h"
