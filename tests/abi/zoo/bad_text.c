/* A description in Latin-1. */
#define ZOO_TYPE "bad_text"
#define ZOO_DESCRIPTION PGAT_LIT("caf\xe9")
#include "minimal.h"
