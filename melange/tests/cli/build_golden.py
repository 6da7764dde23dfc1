#!/usr/bin/env python3
"""Recorded builds of the existing tool, where they lie beside the source tree: all cases must be
equal, but for the items in the table below, whose differences are given line by line."""
import os
import re
import shutil
import stat
import subprocess
import sys

MELANGE = os.path.join(os.environ["BIN"], "melange")
GOLDEN = os.path.join(os.environ["SRC"], "..", "shared", "data", "build-golden")

# Their built-in pipelines are compared by what they do, by the tests of pipelines/.
OWN_SCRIPTS = {"fetch-cache", "patch-errors", "split-dev", "split-doc", "strip"}

# Where one finding of ours ends a build that goes on to be examined: what its line gets behind it.
EDITS = {
    "lint-warn": ("lint-warn.yaml --persist-lint-results",
                  " --lint-require dev,libtool/la-files,setuidgid,tempdir,usrmerge,varempty,worldwrite"),
}

INFODIR = re.escape("""+    "infodir": [
+      {
+        "message": "lint-infodir-file writes to /usr/share/info/dir/",
+        "explain": "Remove /usr/share/info/dir from the package (run split/infodir)",
+        "details": {
+          "paths": [
+            "usr/share/info/dir"
+          ]""")

# Case: item: what its comparison says, and why it is so. A pattern of lines: ".*" is any text.
DIFFERENT = {
    # Options take effect before values are expanded, so the variable of `extra` is seen.
    "config": {
        "opt_x86_64_config-1.10-r3.control.tsv": "2 lines differ\n"
        "-.melange.yaml\t.*\n+.melange.yaml\t.*",
        "opt_x86_64_config-1.10-r3.melange.yaml": "2 lines differ\n"
        "-      if \\[ \"\\$FOO\" = bar \\]; then echo \"5 1_10\"; fi\n"
        "+      if \\[ \"\\$FOO\" = bar \\]; then echo \"6 1_10\"; fi",
    },
    # The real file usr/share/info/dir is found; what other files stand beside a directory hides
    # nothing from usrmerge. Both end the build, so the findings are all that is there.
    "lint-required": {
        "file.lint-lint-infodir-file-1-r0.json": "11 lines differ\n" + INFODIR,
        "file.lint-lint-usrmerge-hidden-1-r0.json": "not expected",
    },
    # A build file is linted as well.
    "lint-warn": {
        "exit": "2 lines differ\n-1\t{melange} lint lint-warn.yaml\n+0\t{melange} lint lint-warn.yaml",
        "stdout": "not expected",
    },
    # A name that is not UTF-8 is stored, so that package is made, and in the index like any other.
    "names": {
        "APKINDEX.index": "13 lines differ\n+C:.*\n+P:badname\n+V:1-r0\n+A:x86_64\n+S:.*\n+I:.*\n"
        "+T:a name that is not UTF-8\n+L:MIT",
    },
}


def copy_cases(to):
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(GOLDEN, to, symlinks=True)
    # Cases may lie read-only; the modes of their files are part of them.
    for top, dirs, files in os.walk(to):
        for name in dirs + files:
            path = os.path.join(top, name)
            if not os.path.islink(path):
                os.chmod(path, os.stat(path).st_mode | stat.S_IWUSR)
    for case, (line, more) in EDITS.items():
        for name in ("cmd", "expected/exit"):
            path = os.path.join(to, case, name)
            with open(path) as f:
                text = f.read()
            with open(path, "w") as f:
                f.write(text.replace(line, line + more))


def pattern(text):
    return "\n".join(re.sub(r"^([-+])", r"[\1]", line) for line in text.split("\n"))


def read_report(text):
    """-> {case: {item: text}} of what compare.py prints."""
    cases, case, item = {}, None, None
    for line in text.split("\n"):
        if line.startswith("      "):
            cases[case][item] += "\n" + line[6:]
        elif line.startswith("    "):
            item, _, what = line[4:].partition(": ")
            cases[case][item] = what
        elif re.fullmatch(r"\d+ equal, \d+ differ", line):
            return cases
        elif line:
            case = line
            cases[case] = {}
    raise SystemExit("no summary:\n" + text)


def check_case(case, found):
    wrong = []
    known = DIFFERENT.get(case, {})
    for item in sorted(set(known) | set(found)):
        if item not in found:
            wrong.append("%s: %s: is equal, the table says otherwise" % (case, item))
        elif item not in known or not re.fullmatch(pattern(known[item]), found[item]):
            wrong.append("%s: %s: %s" % (case, item, found[item]))
    return wrong


def main():
    if not os.path.isdir(GOLDEN):
        return print("skipped: no recorded builds in %s" % GOLDEN)
    if os.getuid() != 0:
        return print("skipped: owners, devices and attributes need root")
    copy = os.path.join(os.getcwd(), "cli", "build_golden")
    copy_cases(copy)
    run = subprocess.run([sys.executable, os.path.join(copy, "compare.py"), MELANGE],
                         stdout=subprocess.PIPE, text=True)
    found = read_report(run.stdout)
    wrong = []
    for case in sorted(set(found) | set(DIFFERENT)):
        if case not in OWN_SCRIPTS:
            wrong += check_case(case, found.get(case, {}))
    if wrong:
        raise SystemExit("\n".join(wrong))
    print("all as recorded, but for %d items" % sum(map(len, DIFFERENT.values())))


main()
