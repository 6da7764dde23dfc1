#pragma once

#include "melange/config/model.h"
#include "melange/scan/scan.h"

/* What a build writes besides packages, and small views of the configuration for it. */

/* `uses` of the top-level test steps of the origin (sub NULL) or of a subpackage. */
struct strs report_test_uses(const struct config *c, const struct subpackage *sub, struct arena *a);
/* lint-NAME-VERSION.json in a directory. */
bool report_lint(const char *dir, const char *name, struct str version, struct str json,
	struct err *err) must_check;
/* PATH.ARCH: one JSON object a package, a line each. */
bool report_dependencies(const char *path, const char *arch, const struct scan_pkg *pkgs,
	const struct scan_result *deps, size_t n, struct err *err) must_check;
/* Appends a span that ends now and took so many nanoseconds, as one JSON object in the form of
 * OpenTelemetry's file exporter: Name, StartTime and EndTime (RFC 3339), Attributes. */
bool report_span(const char *path, const char *arch, const char *name, int64_t took,
	struct err *err) must_check;
/* Appends "arch|origin|name|version" to packages.log in the working directory. */
bool report_build_log(const char *arch, struct str origin, const char *name, struct str version,
	struct err *err) must_check;
