/* The library that needy needs. */
__attribute__((visibility("default"))) int zoo_absent(void);
int zoo_absent(void) { return 0; }
