#include "melange/config/transform.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/num.h"
#include "shared/text/utf8.h"

#define MATCH_LIMIT 1000000
#define HEAP_LIMIT 20000	/* KiB */
#define MAX_STEPS 2000000	/* of one call, all matches together */
#define MAX_TEXT (1u << 16)
#define MAX_RESULT (1u << 20)

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct groups {
	pcre2_code *code;
	const PCRE2_SIZE *ends;	/* start and end of each group */
	unsigned n;
	struct str text;
};

static void add_group(struct buf *out, const struct groups *g, struct str name)
{
	uint64_t number;
	if (!num_u64(name, 10, &number)) {
		char key[64];
		if (name.n >= sizeof(key))
			return;
		memcpy(key, name.p, name.n);
		key[name.n] = 0;
		int found = pcre2_substring_number_from_name(g->code, (PCRE2_SPTR)key);
		if (found < 0)
			return;
		number = (uint64_t)found;
	}
	if (number >= g->n || g->ends[2 * number] == PCRE2_UNSET)
		return;
	buf_add(out, g->text.p + g->ends[2 * number],
		g->ends[2 * number + 1] - g->ends[2 * number]);
}

/* $$, $name, ${name}; anything else behind a dollar keeps it. */
static void add_replacement(struct buf *out, struct str replace, const struct groups *g)
{
	for (size_t i = 0; i < replace.n; i++) {
		if (replace.p[i] != '$') {
			buf_addc(out, replace.p[i]);
			continue;
		}
		if (i + 1 < replace.n && replace.p[i + 1] == '$') {
			buf_addc(out, '$');
			i++;
			continue;
		}
		bool braced = i + 1 < replace.n && replace.p[i + 1] == '{';
		size_t start = i + 1 + braced, end = start;
		while (end < replace.n && is_word(replace.p[end]))
			end++;
		if (end == start || (braced && (end >= replace.n || replace.p[end] != '}'))) {
			buf_addc(out, '$');
			continue;
		}
		add_group(out, g, str_sub(replace, start, end - start));
		i = end - 1 + braced;
	}
}

/* Counts the steps of matching, so that all of a call's matches together are bounded. */
static int count_step(pcre2_callout_block *block, void *user)
{
	size_t *left = user;
	(void)block;
	return *left > 0 && --*left > 0 ? 0 : PCRE2_ERROR_MATCHLIMIT;
}

static size_t char_length(struct str text, size_t at)
{
	uint32_t cp;
	size_t n = utf8_decode(str_from(text, at), &cp);
	return n ? n : 1;
}

static bool replace_all(pcre2_code *code, struct str text, struct str replace, struct buf *out)
{
	pcre2_match_context *mc = pcre2_match_context_create(NULL);
	pcre2_match_data *md = pcre2_match_data_create_from_pattern(code, NULL);
	size_t at = 0, copied = 0, last_end = (size_t)-1, left = MAX_STEPS;
	bool ok = mc && md;
	if (ok) {
		pcre2_set_match_limit(mc, MATCH_LIMIT);
		pcre2_set_heap_limit(mc, HEAP_LIMIT);
		pcre2_set_callout(mc, count_step, &left);
	}
	while (ok && at <= text.n && !out->over) {
		int n = pcre2_match(code, (PCRE2_SPTR)text.p, text.n, at, 0, md, mc);
		if (n == PCRE2_ERROR_NOMATCH)
			break;
		ok = n > 0;
		if (!ok)
			break;
		struct groups g = { code, pcre2_get_ovector_pointer(md),
			pcre2_get_ovector_count(md), text };
		size_t start = g.ends[0], end = g.ends[1];
		/* an empty match right behind a match does not count */
		if (!(start == end && start == last_end)) {
			buf_addstr(out, str_sub(text, copied, start - copied));
			add_replacement(out, replace, &g);
			copied = last_end = end;
		}
		at = end > start ? end : end + char_length(text, end);
	}
	buf_addstr(out, str_from(text, copied));
	pcre2_match_data_free(md);
	pcre2_match_context_free(mc);
	return ok;
}

static pcre2_code *compile(struct str match, struct arena *a, const char **ret_what)
{
	int code_err;
	PCRE2_SIZE offset;
	struct str re;
	char msg[256];
	if (!re2_translate(match, a, &re, ret_what))
		return NULL;
	pcre2_compile_context *cc = pcre2_compile_context_create(NULL);
	if (!cc)
		BUG("out of memory");
	pcre2_set_newline(cc, PCRE2_NEWLINE_LF);
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)(re.p ? re.p : ""), re.n,
		PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
			PCRE2_AUTO_CALLOUT, &code_err, &offset, cc);
	pcre2_compile_context_free(cc);
	if (code)
		return code;
	pcre2_get_error_message(code_err, (PCRE2_UCHAR *)msg, sizeof(msg));
	*ret_what = arena_printf(a, "%s", msg);
	return NULL;
}

bool transform_replace(struct str text, struct str match, struct str replace, struct arena *a,
	struct str *ret, const char **ret_what)
{
	pcre2_code *code = compile(match, a, ret_what);
	if (!code)
		return false;
	auto_buf struct buf out = BUF_INIT(MAX_RESULT);
	bool ok = text.n <= MAX_TEXT &&
		replace_all(code, str_n(text.p ? text.p : "", text.n), replace, &out) && !out.over;
	pcre2_code_free(code);
	if (ok)
		*ret = arena_str(a, buf_str(&out));
	else
		*ret_what = "it takes too much work or space";
	return ok;
}
