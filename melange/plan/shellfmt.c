#include "melange/plan/shellfmt.h"

#include "melange/plan/shellfmt_dump.h"
#include "melange/plan/shellfmt_parse.h"
#include "melange/plan/shellfmt_print.h"

#define MAX_TEXT (4u << 20)

/* Tabs and line ends apart, control characters are none of a script's business. */
static bool printable(struct str text)
{
	for (size_t k = 0; k < text.n; k++) {
		unsigned char c = (unsigned char)text.p[k];
		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			return false;
	}
	return text.n <= MAX_TEXT;
}

static bool parse_and_print(struct str text, struct arena *a, struct sf_stmts *list,
	struct buf *out)
{
	if (!sf_parse(text, a, 0, 1, list))
		return false;
	long nl = str_chr(text, '\n');
	if (nl >= 0 && str_starts(text, S("#!")))
		buf_addstr(out, str_sub(text, 0, (size_t)nl + 1));
	for (size_t k = 0; k < list->n; k++) {
		if (!sf_print_statement(out, a, list->v[k]))
			return false;
	}
	return !out->over;
}

static bool same_commands(const struct sf_stmts *x, const struct sf_stmts *y)
{
	auto_buf struct buf dump_x = BUF_INIT(16 * (size_t)MAX_TEXT);
	auto_buf struct buf dump_y = BUF_INIT(16 * (size_t)MAX_TEXT);
	sf_dump(&dump_x, x);
	sf_dump(&dump_y, y);
	return !dump_x.over && !dump_y.over && str_eq(buf_str(&dump_x), buf_str(&dump_y));
}

bool shellfmt(struct str text, struct arena *a, struct str *ret)
{
	if (!printable(text))
		return false;
	auto_arena struct arena scratch = ARENA_INIT;
	auto_buf struct buf first = BUF_INIT(2 * (size_t)MAX_TEXT);
	auto_buf struct buf again = BUF_INIT(2 * (size_t)MAX_TEXT);
	struct sf_stmts before = { 0 }, after = { 0 };
	if (!parse_and_print(text, &scratch, &before, &first) ||
			!parse_and_print(buf_str(&first), &scratch, &after, &again))
		return false;
	if (!str_eq(buf_str(&first), buf_str(&again)) || !same_commands(&before, &after))
		return false;
	*ret = arena_str(a, buf_str(&first));
	return true;
}
