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

#define APKO_NUMS 16	/* longer lists are invalid */

/* A version as apko reads it. Numbers behind n_nums are not set. */
struct apko_version {
	unsigned n_nums;
	char letter;		/* 0 = none */
	uint8_t pre, post;	/* rank, 0 = none */
	bool valid;
	uint64_t pre_n, post_n, rev;
	uint64_t nums[APKO_NUMS];
};

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

/* Short numbers without the checks that long ones need. */
static bool apko_number(struct str *rest, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;
	for (; i < rest->n && i < 18 && is_digit(rest->p[i]); i++)
		n = n * 10 + (unsigned)(rest->p[i] - '0');
	if (i == 18)
		return number(take(rest, is_digit), INT64_MAX, ret);
	*ret = n;
	*rest = str_n(rest->p + i, rest->n - i);
	return i > 0;
}

static bool apko_numbers(struct str *rest, struct apko_version *v)
{
	for (;;) {
		if (v->n_nums == APKO_NUMS || !apko_number(rest, &v->nums[v->n_nums]))
			return false;
		v->n_nums++;
		if (!rest->n || rest->p[0] != '.')
			return true;
		*rest = str_n(rest->p + 1, rest->n - 1);
	}
}

static bool apko_tail(struct str rest, struct apko_version *v)
{
	if (rest.n && is_lower(rest.p[0])) {
		v->letter = rest.p[0];
		rest = str_from(rest, 1);
	}
	if (!apko_suffix(&rest, true, &v->pre, &v->pre_n) ||
		!apko_suffix(&rest, false, &v->post, &v->post_n))
		return false;
	if (str_skip(&rest, S("-r")) && !apko_number(&rest, &v->rev))
		return false;
	return !rest.n;
}

static void apko_parse(struct str text, struct apko_version *v)
{
	v->n_nums = 0;
	v->letter = 0;
	v->pre = v->post = 0;
	v->pre_n = v->post_n = v->rev = 0;
	v->valid = apko_numbers(&text, v) && apko_tail(text, v);
}

bool apko_version_valid(struct str v)
{
	struct apko_version parsed;
	apko_parse(v, &parsed);
	return parsed.valid;
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

static int apko_cmp(const struct apko_version *a, const struct apko_version *b)
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

int apko_version_cmp(struct str a, struct str b)
{
	struct apko_version va, vb;
	if (str_eq(a, b))
		return 0;
	apko_parse(a, &va);
	apko_parse(b, &vb);
	return apko_cmp(&va, &vb);
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

bool apko_version_match(struct str a, unsigned op, struct str b)
{
	struct apko_version va, vb;
	if (!op)
		return true;
	apko_parse(b, &vb);
	if (!vb.valid)
		return false;
	if (str_eq(a, b))
		return op & (APK_OP_EQ | APK_OP_FUZZY);
	apko_parse(a, &va);
	if (!va.valid)
		return false;
	if ((op & APK_OP_FUZZY) && apko_fuzzy(&va, &vb))
		return true;
	return op & result_bit(apko_cmp(&va, &vb));
}

/* Whether a number of the list, or the revision, starts behind the text. */
static bool before_number(struct str s)
{
	if (s.n > 1 && s.p[s.n - 1] == 'r' && s.p[s.n - 2] == '-')
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]) && s.p[i] != '.')
			return false;
	return true;
}

/* Most differ in one number behind what they have in common: then that is all there is to read. */
int apko_valid_cmp(struct str a, struct str b)
{
	size_t i = 0, shorter = a.n < b.n ? a.n : b.n;
	uint64_t x, y;
	while (i < shorter && a.p[i] == b.p[i])
		i++;
	if (i == a.n && i == b.n)
		return 0;
	while (i > 0 && is_digit(a.p[i - 1]))
		i--;
	struct str ra = str_from(a, i), rb = str_from(b, i);
	if (before_number(str_n(a.p, i)) && apko_number(&ra, &x) && apko_number(&rb, &y) && x != y)
		return cmp_u64(x, y);
	return apko_version_cmp(a, b);
}

bool apko_valid_match(struct str a, unsigned op, struct str b)
{
	if (op & APK_OP_FUZZY)
		return apko_version_match(a, op, b);
	return !op || (op & result_bit(apko_valid_cmp(a, b)));
}
