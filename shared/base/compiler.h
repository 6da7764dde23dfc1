#pragma once

/* Attributes used throughout. An `auto_x` macro of a module stands before a local's type and
 * releases it when the scope ends. */

#define must_check __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define no_return __attribute__((noreturn))
#define cleanup_with(fn) __attribute__((cleanup(fn)))
#define unused_arg __attribute__((unused))

#define countof(a) (sizeof(a) / sizeof((a)[0]))

/* A broken invariant: prints file, line and text, then aborts. Never for bad input. */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
no_return void bug_at(const char *file, int line, const char *fmt, ...) printf_like(3, 4);
