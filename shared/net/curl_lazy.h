#pragma once

/* libcurl is loaded when the first request is made, not when the program starts. */

/* NULL, or why it cannot be loaded. To be called once, before any function of the library. */
const char *curl_lazy_load(void);
