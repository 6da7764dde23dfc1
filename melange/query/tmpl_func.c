#include "melange/query/tmpl_int.h"

#include <stdlib.h>

#include "melange/query/gofmt.h"

#define MAX_TEXT ((size_t)64 << 20)

#define FUNCTION(fn)                                                                               \
	static bool fn(const struct gval *args, size_t n, struct arena *a, struct gval *ret,       \
		struct err *err)

FUNCTION(not_)
{
	(void)n, (void)a, (void)err;
	*ret = gval_bool(!gval_true(args[0]));
	return true;
}

FUNCTION(len)
{
	size_t count;
	(void)n;
	if (!gval_len(args[0], &count))
		return args[0].kind == GV_NIL || args[0].kind == GV_NONE
			? err_set(err, EK_OTHER, "len of nil pointer")
			: err_set(err, EK_OTHER, "len of type %s", gval_type(args[0], a));
	*ret = gval_int((int64_t)count);
	return true;
}

static bool index_one(struct gval v, struct gval by, struct arena *a, struct gval *ret,
	struct err *err)
{
	size_t n;
	if (v.kind == GV_KVS || v.kind == GV_MAP) {
		if (by.kind != GV_STR)
			return err_set(err, EK_OTHER, "value has type %s; should be string",
				gval_type(by, a));
		*ret = gval_get(v, by.s);
		if (ret->kind == GV_NONE)
			*ret = gval_zero_entry(v);
		return true;
	}
	if (!gval_len(v, &n))
		return err_set(err, EK_OTHER, v.kind == GV_NIL || v.kind == GV_NONE
			? "index of untyped nil" : "can't index item of type %s", gval_type(v, a));
	if (by.kind != GV_INT && by.kind != GV_UINT)
		return err_set(err, EK_OTHER, "cannot index slice/array with type %s",
			gval_type(by, a));
	if (by.i < 0 || (uint64_t)by.i >= n)
		return err_set(err, EK_OTHER, "index out of range: %lld", (long long)by.i);
	*ret = v.kind == GV_STR ? gval_int((unsigned char)v.s.p[by.i])
		: gval_item(v, (size_t)by.i);
	return true;
}

FUNCTION(index_)
{
	*ret = args[0];
	for (size_t i = 1; i < n; i++)
		if (!index_one(*ret, args[i], a, ret, err))
			return false;
	return true;
}

FUNCTION(print)
{
	(void)err;
	auto_buf struct buf b = BUF_INIT(MAX_TEXT);
	gofmt_print(args, n, false, &b, a);
	*ret = gval_str(arena_str(a, buf_str(&b)));
	return true;
}

FUNCTION(println)
{
	(void)err;
	auto_buf struct buf b = BUF_INIT(MAX_TEXT);
	gofmt_print(args, n, true, &b, a);
	*ret = gval_str(arena_str(a, buf_str(&b)));
	return true;
}

FUNCTION(printf_)
{
	auto_buf struct buf b = BUF_INIT(MAX_TEXT);
	if (args[0].kind != GV_STR)
		return err_set(err, EK_OTHER, "wrong type for value; expected string; got %s",
			gval_type(args[0], a));
	gofmt_printf(args[0].s, args + 1, n - 1, &b, a);
	*ret = gval_str(arena_str(a, buf_str(&b)));
	return true;
}

/* Comparison: numbers with numbers, texts with texts, truth values with truth values. */

static bool number(struct gval v)
{
	return v.kind == GV_INT || v.kind == GV_UINT || v.kind == GV_DURATION;
}

static bool nil(struct gval v)
{
	return v.kind == GV_NIL || v.kind == GV_NONE;
}

static bool basic(struct gval v)
{
	return number(v) || v.kind == GV_STR || v.kind == GV_BOOL;
}

static int number_cmp(struct gval x, struct gval y)
{
	bool xneg = x.kind != GV_UINT && x.i < 0, yneg = y.kind != GV_UINT && y.i < 0;
	if (xneg != yneg)
		return xneg ? -1 : 1;
	if (xneg)
		return (x.i > y.i) - (x.i < y.i);
	return (x.u > y.u) - (x.u < y.u);
}

static bool equal(struct gval x, struct gval y, bool *ret, struct err *err)
{
	if (nil(y) || (x.kind == GV_STRUCT && x.pointer)) {
		*ret = nil(x) || (x.kind == GV_STRUCT && x.pointer && !x.p && nil(y));
		return true;
	}
	if (!basic(x) || !basic(y))
		return err_set(err, EK_OTHER, "non-comparable type");
	if (number(x) ? !number(y) : x.kind != y.kind)
		return err_set(err, EK_OTHER, "incompatible types for comparison");
	*ret = number(x) ? number_cmp(x, y) == 0
		: x.kind == GV_STR ? str_eq(x.s, y.s) : x.b == y.b;
	return true;
}

FUNCTION(eq)
{
	bool same = false;
	(void)a;
	for (size_t i = 1; i < n && !same; i++)
		if (!equal(args[0], args[i], &same, err))
			return false;
	*ret = gval_bool(same);
	return true;
}

FUNCTION(ne)
{
	if (!eq(args, n, a, ret, err))
		return false;
	ret->b = !ret->b;
	return true;
}

static bool order(const struct gval *args, int *ret, struct err *err)
{
	if (!basic(args[0]) || !basic(args[1]) || args[0].kind == GV_BOOL)
		return err_set(err, EK_OTHER, "invalid type for comparison");
	if (number(args[0]) ? !number(args[1]) : args[0].kind != args[1].kind)
		return err_set(err, EK_OTHER, "incompatible types for comparison");
	*ret = number(args[0]) ? number_cmp(args[0], args[1]) : str_cmp(args[0].s, args[1].s);
	return true;
}

#define ORDER(fn, test)                                                                            \
	FUNCTION(fn)                                                                               \
	{                                                                                          \
		int c;                                                                             \
		(void)n, (void)a;                                                                  \
		if (!order(args, &c, err))                                                         \
			return false;                                                              \
		*ret = gval_bool(c test 0);                                                        \
		return true;                                                                       \
	}
ORDER(lt, <)
ORDER(le, <=)
ORDER(gt, >)
ORDER(ge, >=)

const struct tfunc *tmpl_func(struct str name)
{
	static const struct tfunc funcs[] = {
		{ "and", 1, 0, NULL },
		{ "or", 1, 0, NULL },
		{ "not", 1, 1, not_ },
		{ "len", 1, 1, len },
		{ "index", 1, 0, index_ },
		{ "print", 0, 0, print },
		{ "println", 0, 0, println },
		{ "printf", 1, 0, printf_ },
		{ "eq", 2, 0, eq },
		{ "ne", 2, 2, ne },
		{ "lt", 2, 2, lt },
		{ "le", 2, 2, le },
		{ "gt", 2, 2, gt },
		{ "ge", 2, 2, ge },
	};
	for (size_t i = 0; i < countof(funcs); i++)
		if (str_is(name, funcs[i].name))
			return &funcs[i];
	return NULL;
}
