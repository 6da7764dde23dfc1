#pragma once

#include "shared/apk/solve.h"

/* Cases in the language of apk-tools' resolver tests:
 *
 *	@ARGS [OPTIONS] add|upgrade|del [ATOMS]
 *	@REPO [@tag] FILE	records as in an APKINDEX; repeated D:, p: and i: lines add up
 *	@CACHE FILE		the same
 *	@INSTALLED FILE		what is there before
 *	@WORLD ATOMS		what was asked for before
 *	@EXPECT
 *	(1/2) Installing b (2)
 *	ERROR: ...
 *
 * Without prior state the packages and their order must be those of the expectation. With it the
 * set that results must be, and what is installed or changed must come in that order.
 *
 * An expected error asks for a refusal with the same reason. For an atom that is not valid, our
 * message must quote it and say so. For "unable to select packages" it must agree with at least
 * one of the blocks told there, ours being no longer than the contradiction needs: for "(no such
 * package)" it has `nothing provides "NAME"`; for "masked in", the package and the tag; for
 * "breaks", the package and the broken atoms; for "conflicts", all packages named; for
 * "uninstallable", the package and that word. "please select" never agrees: we choose. */

enum case_verdict { CASE_PASSED, CASE_FAILED, CASE_SKIPPED };

/* Runs one file. *ret_why gets the reason unless it passed (arena text). Files named in it are
 * looked for beside it. */
enum case_verdict solve_case_run(const char *path, struct arena *a, struct str *ret_why);
