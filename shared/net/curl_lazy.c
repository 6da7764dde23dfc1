#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include "shared/base/compiler.h"
#include "shared/net/curl_lazy.h"

/* The functions of libcurl that we use, under their own names, each passing on to the library once
 * curl_lazy_load has found it. It brings thirty others with it, which take longer to load than a
 * request without network takes altogether. */

#undef curl_easy_setopt
#undef curl_easy_getinfo

#define LIBRARY "libcurl.so.4"

#define FUNCTIONS(F)                                                                               \
	F(easy_cleanup)                                                                            \
	F(easy_getinfo)                                                                            \
	F(easy_init)                                                                               \
	F(easy_setopt)                                                                             \
	F(easy_strerror)                                                                           \
	F(global_init)                                                                             \
	F(multi_add_handle)                                                                        \
	F(multi_cleanup)                                                                           \
	F(multi_info_read)                                                                         \
	F(multi_init)                                                                              \
	F(multi_perform)                                                                           \
	F(multi_poll)                                                                              \
	F(multi_remove_handle)                                                                     \
	F(slist_append)                                                                            \
	F(slist_free_all)

#define POINTER(name) __typeof__(&curl_##name) name;
static struct {
	FUNCTIONS(POINTER)
} real;

#define ENTRY(name) { "curl_" #name, &real.name },
static const struct {
	const char *name;
	void *to;
} entries[] = { FUNCTIONS(ENTRY) };

const char *curl_lazy_load(void)
{
	void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return dlerror();
	for (size_t i = 0; i < countof(entries); i++) {
		void *f = dlsym(lib, entries[i].name);
		if (!f)
			return dlerror();
		memcpy(entries[i].to, &f, sizeof(f));
	}
	return NULL;
}

void curl_easy_cleanup(CURL *curl)
{
	real.easy_cleanup(curl);
}

CURLcode curl_easy_getinfo(CURL *curl, CURLINFO info, ...)
{
	va_list ap;
	va_start(ap, info);
	void *to = va_arg(ap, void *);
	va_end(ap);
	return real.easy_getinfo(curl, info, to);
}

CURL *curl_easy_init(void)
{
	return real.easy_init();
}

/* The type of the argument is told by the option's thousands. */
CURLcode curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
	CURLcode code;
	va_list ap;
	va_start(ap, option);
	switch (option / 10000 * 10000) {
	case CURLOPTTYPE_LONG:
		code = real.easy_setopt(curl, option, va_arg(ap, long));
		break;
	case CURLOPTTYPE_OFF_T:
		code = real.easy_setopt(curl, option, va_arg(ap, curl_off_t));
		break;
	case CURLOPTTYPE_FUNCTIONPOINT:
		code = real.easy_setopt(curl, option, va_arg(ap, void (*)(void)));
		break;
	default:
		code = real.easy_setopt(curl, option, va_arg(ap, void *));
	}
	va_end(ap);
	return code;
}

const char *curl_easy_strerror(CURLcode code)
{
	return real.easy_strerror(code);
}

CURLcode curl_global_init(long flags)
{
	return real.global_init(flags);
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *curl)
{
	return real.multi_add_handle(multi, curl);
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
	return real.multi_cleanup(multi);
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *left)
{
	return real.multi_info_read(multi, left);
}

CURLM *curl_multi_init(void)
{
	return real.multi_init();
}

CURLMcode curl_multi_perform(CURLM *multi, int *running)
{
	return real.multi_perform(multi, running);
}

CURLMcode curl_multi_poll(CURLM *multi, struct curl_waitfd *fds, unsigned n, int ms, int *ret)
{
	return real.multi_poll(multi, fds, n, ms, ret);
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *curl)
{
	return real.multi_remove_handle(multi, curl);
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *s)
{
	return real.slist_append(list, s);
}

void curl_slist_free_all(struct curl_slist *list)
{
	real.slist_free_all(list);
}
