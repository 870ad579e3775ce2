/* Exports nothing. */
int zoo_nothing_to_see(void);
int zoo_nothing_to_see(void) { return 0; }
