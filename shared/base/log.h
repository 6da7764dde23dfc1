#pragma once

#include <stdbool.h>
#include "shared/base/compiler.h"
#include "shared/base/str.h"

/* Lines for people on stderr: `2026/01/31 13:00:00 INFO message key=value`. Level names are cut
 * to four letters; colour on a terminal only. Safe to call from any thread. `shared/` logs at
 * debug, with few warnings; the programs say the rest. */

enum log_level { LOG_DEBUG = -4, LOG_INFO = 0, LOG_WARN = 4, LOG_ERROR = 8 };

void log_setup(int level, int fd);	/* default LOG_INFO, stderr */
/* "debug", "INFO+2", ...: false if not a level. */
bool log_level_parse(struct str s, int *ret_level);
bool log_enabled(int level);
/* Text put behind each line of the calling thread, such as "arch=x86_64"; borrowed, NULL none. */
void log_attr(const char *attr);
void log_line(int level, const char *fmt, ...) printf_like(2, 3);
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
