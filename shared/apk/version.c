#include "shared/apk/version.h"

#include <string.h>

/* Kinds of token in rank order: where two versions part, the higher rank is the lesser. */
enum kind { K_INITIAL, K_DIGIT, K_LETTER, K_SUFFIX, K_SUFFIX_NO, K_HASH, K_REVISION, K_END,
	K_INVALID };

struct scan {
	struct str rest;
	enum kind kind;
	struct str text;	/* digits, letter or hash of the token */
	uint64_t num;
	int suffix;		/* negative: pre-release */
};

static const struct suffix {
	const char *name;
	int rank;
} suffixes[] = {
	{ "alpha", -4 }, { "beta", -3 }, { "pre", -2 }, { "rc", -1 },
	{ "cvs", 1 },    { "svn", 2 },   { "git", 3 },  { "hg", 4 },  { "p", 5 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_hash(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

/* Takes the run of characters of a class off the text. */
static struct str take(struct str *s, bool (*in)(char))
{
	size_t n = 0;
	while (n < s->n && in(s->p[n]))
		n++;
	struct str run = str_n(s->p, n);
	if (n)
		*s = str_n(s->p + n, s->n - n);
	return run;
}

/* Value of digits; false when there are none or they are more than max. */
static bool number(struct str digits, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;
	for (size_t i = 0; i < digits.n; i++) {
		unsigned d = (unsigned)(digits.p[i] - '0');
		if (n > (max - d) / 10)
			return false;
		n = n * 10 + d;
	}
	*ret = n;
	return digits.n > 0;
}

static int suffix_rank(struct str name)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (str_is(name, suffixes[i].name))
			return suffixes[i].rank;
	return 0;
}

static void digits(struct scan *s, enum kind kind)
{
	s->text = take(&s->rest, is_digit);
	s->kind = number(s->text, UINT64_MAX, &s->num) ? kind : K_INVALID;
}

static void skip_char(struct scan *s)
{
	s->rest = str_n(s->rest.p + 1, s->rest.n - 1);
}

static void letter(struct scan *s)
{
	bool ok = s->kind <= K_DIGIT;
	s->text = str_n(s->rest.p, 1);
	skip_char(s);
	s->kind = ok ? K_LETTER : K_INVALID;
}

static void suffix(struct scan *s)
{
	bool ok = s->kind <= K_SUFFIX_NO;
	skip_char(s);
	s->suffix = suffix_rank(take(&s->rest, is_lower));
	s->kind = ok && s->suffix ? K_SUFFIX : K_INVALID;
}

static void hash(struct scan *s)
{
	bool ok = s->kind < K_HASH;
	skip_char(s);
	s->text = take(&s->rest, is_hash);
	s->kind = ok && s->text.n ? K_HASH : K_INVALID;
}

static void revision(struct scan *s)
{
	bool ok = s->kind < K_REVISION && s->rest.n > 1 && s->rest.p[1] == 'r';
	if (!ok) {
		s->kind = K_INVALID;
		return;
	}
	s->rest = str_n(s->rest.p + 2, s->rest.n - 2);
	digits(s, K_REVISION);
}

static void scan_next(struct scan *s)
{
	if (s->kind >= K_END)
		return;
	if (!s->rest.n) {
		s->kind = K_END;
		return;
	}
	char c = s->rest.p[0];
	if (is_lower(c)) {
		letter(s);
	} else if (c == '.' && s->kind <= K_DIGIT) {
		skip_char(s);
		digits(s, K_DIGIT);
	} else if (is_digit(c) && s->kind == K_SUFFIX) {
		digits(s, K_SUFFIX_NO);
	} else if (c == '_') {
		suffix(s);
	} else if (c == '~') {
		hash(s);
	} else if (c == '-') {
		revision(s);
	} else {
		s->kind = K_INVALID;
	}
}

static void scan_first(struct scan *s, struct str v)
{
	*s = (struct scan){ .rest = v };
	digits(s, K_INITIAL);
}

bool apk_version_valid(struct str v)
{
	struct scan s;
	for (scan_first(&s, v); s.kind < K_END; scan_next(&s))
		;
	return s.kind == K_END;
}

static int cmp_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int sign(int n)
{
	return n < 0 ? -1 : n > 0;
}

static int token_cmp(const struct scan *a, const struct scan *b)
{
	switch (a->kind) {
	case K_DIGIT:
		/* fractions with a leading zero sort as text: 1.09 < 1.5 */
		if (a->text.p[0] == '0' || b->text.p[0] == '0')
			return sign(str_cmp(a->text, b->text));
		return cmp_u64(a->num, b->num);
	case K_INITIAL:
	case K_SUFFIX_NO:
	case K_REVISION:
		return cmp_u64(a->num, b->num);
	case K_SUFFIX:
		return sign(a->suffix - b->suffix);
	default:
		return sign(str_cmp(a->text, b->text));
	}
}

static int compare(struct str va, struct str vb, bool fuzzy)
{
	struct scan a, b;
	scan_first(&a, va);
	scan_first(&b, vb);
	while (a.kind == b.kind && a.kind < K_END) {
		int r = token_cmp(&a, &b);
		if (r)
			return r;
		scan_next(&a);
		scan_next(&b);
	}
	if (a.kind == b.kind || (fuzzy && b.kind == K_END))
		return 0;
	if (a.kind == K_SUFFIX && a.suffix < 0)
		return -1;
	if (b.kind == K_SUFFIX && b.suffix < 0)
		return 1;
	return a.kind > b.kind ? -1 : 1;
}

int apk_version_cmp(struct str a, struct str b)
{
	return compare(a, b, false);
}

/* The operator bit a comparison's result answers to. */
static unsigned result_bit(int cmp)
{
	return cmp < 0 ? APK_OP_LT : cmp > 0 ? APK_OP_GT : APK_OP_EQ;
}

bool apk_version_match(struct str a, unsigned op, struct str b)
{
	if (!op)
		return true;
	if (op & APK_OP_FUZZY)
		op |= APK_OP_EQ;
	return op & result_bit(compare(a, b, op & APK_OP_FUZZY));
}

/* Takes "_name[digits]" when the name is of the wanted sign; rank counts from 1. */
static bool apko_suffix(struct str *rest, bool pre, uint8_t *rank, uint64_t *n)
{
	if (!rest->n || rest->p[0] != '_')
		return true;
	struct str after = str_from(*rest, 1);
	int r = suffix_rank(take(&after, is_lower));
	if (!r || (r < 0) != pre)
		return true;
	struct str num = take(&after, is_digit);
	if (num.n && !number(num, INT64_MAX, n))
		return false;
	*rank = (uint8_t)(pre ? r + 5 : r);
	*rest = after;
	return true;
}

static bool apko_numbers(struct str *rest, struct apko_version *v)
{
	for (;;) {
		if (v->n_nums == sizeof(v->nums) / sizeof(v->nums[0]) ||
			!number(take(rest, is_digit), INT64_MAX, &v->nums[v->n_nums]))
			return false;
		v->n_nums++;
		if (!rest->n || rest->p[0] != '.')
			return true;
		*rest = str_from(*rest, 1);
	}
}

static bool apko_parse(struct str rest, struct apko_version *v)
{
	if (!apko_numbers(&rest, v))
		return false;
	if (rest.n && is_lower(rest.p[0])) {
		v->letter = rest.p[0];
		rest = str_from(rest, 1);
	}
	if (!apko_suffix(&rest, true, &v->pre, &v->pre_n) ||
		!apko_suffix(&rest, false, &v->post, &v->post_n))
		return false;
	if (str_skip(&rest, S("-r")) && !number(take(&rest, is_digit), INT64_MAX, &v->rev))
		return false;
	return !rest.n;
}

void apko_version_parse(struct str v, struct apko_version *ret)
{
	struct apko_version out;
	memset(&out, 0, sizeof(out));
	out.valid = apko_parse(v, &out);
	*ret = out;
}

static int cmp_nums(const struct apko_version *a, const struct apko_version *b)
{
	for (unsigned i = 0; i < a->n_nums && i < b->n_nums; i++) {
		int r = cmp_u64(a->nums[i], b->nums[i]);
		if (r)
			return r;
	}
	return cmp_u64(a->n_nums, b->n_nums);
}

int apko_version_cmp(const struct apko_version *a, const struct apko_version *b)
{
	if (a->valid != b->valid)
		return a->valid ? 1 : -1;
	int r = cmp_nums(a, b);
	if (!r)
		r = cmp_u64((uint8_t)a->letter, (uint8_t)b->letter);
	if (!r) /* no pre-release at all is the highest */
		r = cmp_u64(a->pre ? a->pre : 5, b->pre ? b->pre : 5);
	if (!r)
		r = cmp_u64(a->pre_n, b->pre_n);
	if (!r)
		r = cmp_u64(a->post, b->post);
	if (!r)
		r = cmp_u64(a->post_n, b->post_n);
	return r ? r : cmp_u64(a->rev, b->rev);
}

static bool same_if_set(uint64_t have, uint64_t want)
{
	return !want || have == want;
}

static bool apko_fuzzy(const struct apko_version *have, const struct apko_version *want)
{
	if (have->n_nums < want->n_nums)
		return false;
	for (unsigned i = 0; i < want->n_nums; i++)
		if (have->nums[i] != want->nums[i])
			return false;
	if (have->n_nums > want->n_nums)
		return true;
	return same_if_set((uint8_t)have->letter, (uint8_t)want->letter) &&
	       same_if_set(have->pre, want->pre) && same_if_set(have->pre_n, want->pre_n) &&
	       same_if_set(have->post, want->post) && same_if_set(have->post_n, want->post_n) &&
	       same_if_set(have->rev, want->rev);
}

bool apko_version_match(const struct apko_version *a, unsigned op, const struct apko_version *b)
{
	if (!op)
		return true;
	if (!a->valid || !b->valid)
		return false;
	if ((op & APK_OP_FUZZY) && apko_fuzzy(a, b))
		return true;
	return op & result_bit(apko_version_cmp(a, b));
}
