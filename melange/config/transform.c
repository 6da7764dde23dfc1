#include "melange/config/transform.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/num.h"

#define MATCH_LIMIT 1000000
#define MAX_RESULT (1u << 20)

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* RE2 has no look-around and no back-references; PCRE2 would take them. */
static const char *foreign_syntax(struct str re)
{
	for (size_t i = 0; i + 1 < re.n; i++) {
		if (re.p[i] == '\\') {
			if (re.p[i + 1] >= '1' && re.p[i + 1] <= '9')
				return "back-references are not supported";
			i++;
			continue;
		}
		if (re.p[i] != '(' || re.p[i + 1] != '?' || i + 2 >= re.n)
			continue;
		char c = re.p[i + 2], d = i + 3 < re.n ? re.p[i + 3] : 0;
		if (c == '=' || c == '!' || (c == '<' && (d == '=' || d == '!')))
			return "look-around is not supported";
	}
	return NULL;
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

static bool replace_all(pcre2_code *code, struct str text, struct str replace, struct buf *out)
{
	pcre2_match_context *mc = pcre2_match_context_create(NULL);
	pcre2_match_data *md = pcre2_match_data_create_from_pattern(code, NULL);
	bool ok = mc && md;
	size_t at = 0, copied = 0, last_end = (size_t)-1;
	if (ok)
		pcre2_set_match_limit(mc, MATCH_LIMIT);
	while (ok && at <= text.n) {
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
		at = end > start ? end : end + 1;
	}
	buf_addstr(out, str_from(text, copied));
	pcre2_match_data_free(md);
	pcre2_match_context_free(mc);
	return ok;
}

bool transform_replace(struct str text, struct str match, struct str replace, struct arena *a,
	struct str *ret, const char **ret_what)
{
	int code_err;
	PCRE2_SIZE offset;
	*ret_what = foreign_syntax(match);
	if (*ret_what)
		return false;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)(match.p ? match.p : ""), match.n,
		PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &code_err, &offset, NULL);
	if (!code) {
		char msg[256];
		pcre2_get_error_message(code_err, (PCRE2_UCHAR *)msg, sizeof(msg));
		*ret_what = arena_printf(a, "%s at position %zu", msg, (size_t)offset);
		return false;
	}
	auto_buf struct buf out = BUF_INIT(MAX_RESULT);
	bool ok = replace_all(code, str_n(text.p ? text.p : "", text.n), replace, &out) && !out.over;
	pcre2_code_free(code);
	if (ok)
		*ret = arena_str(a, buf_str(&out));
	else
		*ret_what = "it takes too much work or space";
	return ok;
}
