#include "shared/apk/solve_int.h"
bool ssearch(struct stab *t, const struct satoms *world, struct arena *a, struct sset *ret,
	struct err *err)
{
	(void)t; (void)world; (void)a; (void)ret;
	return err_set(err, EK_CONFLICT, "stage 2");
}
