/* Says it is another plugin than its file is named for. */
#define ZOO_TYPE "honest"
#include "good.h"
