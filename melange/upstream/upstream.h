#pragma once

#include "melange/config/load.h"
#include "melange/config/scope.h"
#include "shared/crypto/digest.h"
#include "shared/net/http.h"
#include "shared/text/yedit.h"

/* What a build file takes from elsewhere: the `fetch` and `git-checkout` steps below its main
 * pipeline, as the author wrote them (melange-config 6). */

struct upfile {
	struct str text;	/* the bytes of the file */
	struct config c;
	struct diags diags;
	struct arena *a;
};
/* Reads and validates the file; nothing is detected or compiled. */
bool upfile_load(const char *path, struct arena *a, struct upfile *ret, struct err *err) must_check;

/* Makes changes to the file, by rename and with its mode; through a link to the file it names. */
bool upfile_write(const struct upfile *f, const char *path, const struct yedits *edits,
	struct err *err) must_check;

struct upsteps {
	const struct ynode **v;	/* the steps' maps */
	size_t n, cap;
};
/* Steps below the main pipeline, at any depth, that use a pipeline. */
struct upsteps upstream_steps(const struct upfile *f, const char *uses);
/* The value of an input as written; NULL when there is none. */
const struct ynode *upstep_with(const struct ynode *step, const char *input);

/* All variables of a build on this machine, for a package of this version and epoch. */
void upstream_scope(struct upfile *f, struct str version, uint64_t epoch, struct scope *ret);
/* A value with its variables replaced; problems are errors with their places. */
bool upstream_text(struct upfile *f, const struct scope *scope, const struct ynode *n,
	struct str *ret, struct err *err) must_check;
/* The URL a fetch step asks for, blanks and such escaped. */
bool upstream_uri(struct upfile *f, const struct scope *scope, const struct ynode *step,
	const char **ret, struct err *err) must_check;

/* Both digests of a whole file. */
struct upsums {
	uint8_t sha256[SHA256_SIZE], sha512[SHA512_SIZE];
};
bool upstream_sums(int fd, const char *name, struct upsums *ret, struct err *err) must_check;
/* A file without a name, or -1. */
int upstream_scratch(struct err *err) must_check;
/* Downloads to such a file, at most max bytes; the descriptor or -1. */
int upstream_download(struct http *http, const char *url, int64_t max, struct arena *a,
	struct err *err) must_check;
