#!/usr/bin/env python3
"""The plans that the existing tool made of real files, compared field by field with ours (rows Y12
and Y13 of the language's checklist).

Texts of `runs` are compared without layout, and what built-in pipelines consist of is not compared:
their scripts are our own. Rows where ours differs on purpose are in the table below."""
import json
import os
import re
import subprocess
import sys
import tarfile

MELANGE = os.path.join(os.environ["BIN"], "melange")
SHARED = os.path.join(os.environ["SRC"], "..", "shared", "data")
GOLDEN = os.path.join(SHARED, "compile-golden")
CONFIGS = os.path.join(SHARED, "configs")

# Rows that differ: "fails TEXT" (recorded as compiled), "compiles" (recorded as failed), or the
# place that differs, and why.
DIFFERENT = {
    "melange-examples/R-build": "fails is not an apk version",  # checked at once, not by build alone
    "melange-examples/git-checkout": "fails is not an apk version",
    "melange-examples/conditional": "compiles",  # variables outside quotes are values
    "melange-examples/options": "$.options.rustls.Vars",  # lower case
    "probes/options": "$.options.o.Vars",
    "probes/options-on": "$.environment.contents.packages[0]",  # removal keeps the order
    "probes/needs": "$.environment.contents.packages",  # a false subpackage needs nothing
    "probes/full": "fails unknown capability",  # CAP_X
    "probes/full-aarch64": "fails unknown capability",
    "probes/printer": "$.pipeline[3].runs",  # scripts keep the author's bytes
    "probes/target-goname": "compiles",  # arm64 is aarch64
    "probes/triplet-armhf": "$.pipeline[0].runs",  # arm/v6 is no GOARCH
    "probes/triplet-armv7": "$.pipeline[0].runs",
    "probes/triplet-loongarch64": "$.pipeline[0].runs",
    "probes/triplet-foo": "fails unknown architecture",
}
# What ours says of those that fail for both.
MESSAGES = {
    "melange-examples/aws-sdk-core": "skip this arch",
    "melange-examples/one-arch": "skip this arch",
    "load/invalid-duplicate-package-name.melange": ":6:11: subpackage name \"hello\" is already the main package",
    "load/invalid-package-name.melange": ":2:9: package.name \"boost-\"mobile\"\" must match",
    "load/invalid-range-subpackage-name.melange": "subpackage name \"turtle-\"donatello\"\" must match",
    "load/missing-package-name.melange": ":1:1: package.name is required",
    "load/py3-pandas.melange": "no pipeline ",
    "load/range-subpackages.melange": ":3:12: package.version \"world\" is not an apk version",
    "load/range-subpackages.melange.yaml.~1~": ":3:12: package.version \"world\" is not an apk version",
    "load/unknown-fields.melange": "unknown key ",
    "load/uses-and-runs.melange": ":8:5: step has both \"uses\" and \"runs\"",
    "load/with-and-runs.melange": ":7:5: \"with\" cannot be combined with \"runs\"",
    "probes/target-all": "",
    "probes/empty": ":1:1: empty configuration",
    "probes/bad-shell": "unterminated [[",
    "probes/bad-variable": "variable nope.x not defined",
    "probes/no-definition": "no pipeline ",
    "probes/undeclared-input": "pipeline \"fetch\" has no input \"url\"",
    "probes/missing-input": "pipeline \"git-checkout\" requires input \"repository\"",
    "probes/bad-if": ":2:22: expected '==' or '!='",
    "probes/bad-decode": "bad3.yaml:",
}


def squeeze(text):
    text = re.sub(r"(?m)^[ \t]*#.*$", "", text)
    text = text.replace("\\\n", "")
    text = re.sub(r"`([^`]*)`", r"$(\1)", text)
    return re.sub(r"[\s;]+", "", text)


def comparable(value, local, key=None):
    if isinstance(value, dict):
        own = "uses" in value and value["uses"] not in local
        left_out = ("pipeline", "runs", "needs") if own else ()
        return {k: comparable(v, local, k) for k, v in value.items()
                if k not in left_out and not (k == "runs" and not squeeze(v))}
    if isinstance(value, list):
        return [comparable(v, local) for v in value]
    return squeeze(value) if key == "runs" and isinstance(value, str) else value


def first(a, b, at="$"):
    """Where two values differ first, and how; None when they do not."""
    if isinstance(a, dict) and isinstance(b, dict):
        for k in list(a) + [k for k in b if k not in a]:
            if k not in a or k not in b:
                return f"{at}.{k}", "only in one"
            d = first(a[k], b[k], f"{at}.{k}")
            if d:
                return d
        return None
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return at, f"{len(a)} items recorded, {len(b)} here"
        for i, (x, y) in enumerate(zip(a, b)):
            d = first(x, y, f"{at}[{i}]")
            if d:
                return d
        return None
    return None if type(a) is type(b) and a == b else (at, f"{a!r:.200} recorded, {b!r:.200} here")


def compile_file(folder, args):
    p = subprocess.run(
        [MELANGE, "compile", *args, "--git-commit", "0" * 40, "--git-repo-url", "https://example.test/repo"],
        cwd=folder, capture_output=True, timeout=60, check=False,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "SOURCE_DATE_EPOCH": "0"})
    return p.returncode, p.stdout, p.stderr.decode(errors="replace")


def problem(label, folder, args, recorded, local):
    """What is wrong with a row, None when nothing is. recorded: parsed JSON, None = it failed."""
    rule = DIFFERENT.get(label, "")
    status, out, err = compile_file(folder, args)
    if status not in (0, 1):
        return f"exit {status}"
    if rule.startswith("fails ") or (recorded is None and rule != "compiles"):
        want = rule[6:] if rule.startswith("fails ") else MESSAGES.get(label)
        if want is None:
            return "failed when recorded, and no message is in the table"
        return None if status == 1 and want in err else f"does not fail with '{want}': {err[:300]}"
    if status:
        return f"exit 1: {err[:300]}"
    if recorded is None:
        return None
    d = first(comparable(recorded, local), comparable(json.loads(out), local))
    where = d[0] if d else ""
    return None if where == rule else f"{where}: {d[1] if d else 'no difference, but the table has ' + rule}"


def archives():
    local = set()
    top = os.path.join(CONFIGS, "wolfi", "pipelines")
    for folder, _, names in os.walk(top):
        local |= {os.path.relpath(os.path.join(folder, n), top)[:-5] for n in names if n.endswith(".yaml")}
    for name in sorted(os.listdir(GOLDEN)):
        if not re.fullmatch(r"wolfi\.[a-z0-9_]+\.tar\.xz", name):
            continue
        with tarfile.open(os.path.join(GOLDEN, name)) as tar:
            for member in tar:
                m = re.fullmatch(r"(?:.*/)?(.+)\.(x86_64|aarch64)\.json", member.name)
                if m and member.isfile():
                    yield (f"wolfi/{m[1]}", os.path.join(CONFIGS, "wolfi"),
                           [f"{m[1]}.yaml", "--arch", m[2], "--pipeline-dir", "pipelines"],
                           json.load(tar.extractfile(member)), local)


def folders():
    for folder in ("melange-examples", "load"):
        for name in sorted(os.listdir(os.path.join(GOLDEN, folder))):
            m = re.fullmatch(r"(.*)\.(x86_64|aarch64)\.(json|err)", name)
            if not m or (m[3] == "err" and os.path.exists(os.path.join(GOLDEN, folder, name[:-3] + "json"))):
                continue
            configs = os.path.join(CONFIGS, folder)
            config = m[1] if os.path.exists(os.path.join(configs, m[1])) else m[1] + ".yaml"
            recorded = None
            if m[3] == "json":
                with open(os.path.join(GOLDEN, folder, name), encoding="utf-8") as f:
                    recorded = json.load(f)
            yield f"{folder}/{m[1]}", configs, [config, "--arch", m[2]], recorded, set()


def probes():
    folder = os.path.join(GOLDEN, "probes")
    with open(os.path.join(folder, "cases.tsv"), encoding="utf-8") as f:
        for line in f.read().splitlines()[1:]:
            case, config, args, _ = line.split("\t")
            path = os.path.join(folder, case + ".json")
            recorded = None
            if os.path.exists(path):
                with open(path, encoding="utf-8") as g:
                    recorded = json.load(g)
            yield f"probes/{case}", folder, [config, *args.split()], recorded, set()


def without_local():
    """Files that use their repository's own definitions, without them: what each says that is wrong."""
    folder = os.path.join(CONFIGS, "wolfi")
    top = os.path.join(folder, "pipelines")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".yaml"):
            continue
        status, _, err = compile_file(folder, [name, "--arch", "x86_64"])
        found = re.findall(r"(?m)^(\S+):\d+:\d+: (.*)$", err)
        for file, message in found:
            m = re.match(r'no pipeline "([^"]+)"; searched \'/usr/share/melange/pipelines\', built-in', message)
            if file != name or not m or not os.path.exists(os.path.join(top, m[1] + ".yaml")):
                yield f"{name}: {message}"
        if (status == 0) != (not found) or status not in (0, 1):
            yield f"{name}: exit {status}: {err[:200]}"


def queries():
    """Recorded answers to templates. What the existing tool had printed before an error is not
    printed; its message is our first line."""
    folder = os.path.join(CONFIGS, "wolfi")
    with open(os.path.join(GOLDEN, "query", "templates.tsv"), encoding="utf-8") as f:
        templates = dict(line.rstrip("\n").split("\t", 1) for line in f)
    for name, template in templates.items():
        with open(os.path.join(GOLDEN, "query", name + ".jsonl"), encoding="utf-8") as f:
            for row in map(json.loads, f):
                p = subprocess.run([MELANGE, "query", row["file"], template], cwd=folder,
                                   capture_output=True, text=True)
                failed = row["exit"] != 0
                message = row.get("stderr", "").partition("ERRO ")[2].splitlines()[:1]
                ours = p.stderr.partition("ERRO ")[2].splitlines()[:1]
                same = p.stdout == ("" if failed else row["stdout"]) and ours == message
                yield f"query {name} {row['file']}", same and p.returncode == row["exit"]


def package_versions():
    """wolfi.tsv: file, output; load.tsv: path, exit, output, error."""
    for table, folder in (("wolfi", "wolfi"), ("load", "")):
        with open(os.path.join(GOLDEN, "package-version", table + ".tsv"), encoding="utf-8") as f:
            for line in f:
                row = line.rstrip("\n").split("\t")
                status, want = (0, row[1]) if table == "wolfi" else (int(row[1]), row[2])
                p = subprocess.run([MELANGE, "package-version", row[0]],
                                   cwd=os.path.join(CONFIGS, folder), capture_output=True, text=True)
                yield f"package-version {row[0]}", (p.returncode, p.stdout) == (status, want)


def main():
    if not os.path.isdir(GOLDEN):
        print("skipped: no recorded plans")
        return 0
    rows = bad = 0
    for source in (archives, folders, probes):
        for label, folder, args, recorded, local in source():
            rows += 1
            text = problem(label, folder, args, recorded, local)
            if text:
                bad += 1
                print(f"{label} {args[2]}: {text}")
    for source in (queries, package_versions):
        for label, same in source():
            rows += 1
            bad += not same
            if not same:
                print(f"{label}: differs")
    for text in without_local():
        bad += 1
        print(text)
    print(f"{rows} rows, {bad} not as expected")
    return 1 if bad or rows < 1200 else 0


sys.exit(main())
