"""injection.py make MELANGE TABLE DIR: DIR/cases/NUMBER/{script,here/} of every row and value
injection.py check CASES: what came out of running them, against what the table says

A row of TABLE, fields separated by tabs: pipeline, input, kind, how the value is given ({} in it),
other inputs as a YAML flow map, files that the case needs (commas between). Kinds:
  data     it works, and the value is part of one argument of a tool as it stands
  words    it works, and the words of the value are arguments as they stand
  dir      it works in a directory of that name
  works    it works
  refused  it fails, and the pipeline says why
  any      one of the two
  hex      the compiler refuses it
  quoted   documented shell text that stays one argument: $(...) is honoured
  shell    documented shell text: $(...) and continuations are honoured
A value with a leading dash may always be refused. Nothing else is ever run, and no name expanded.
"""
import json, os, re, shutil, stat, subprocess, sys

VALUES = {
    "single": "x'; touch PWNED; '$(touch PWNED)`touch PWNED` & touch PWNED > PWNED",
    "double": 'x"; touch PWNED; "$(touch PWNED)${HOME}',
    "lines": "a\nMOVER\nSTRIPPER\nTAKER\nPATTERNS\nPATHS\nEOF\ntouch PWNED\n#",
    "dash": "-x$(touch PWNED)",
    "glob": "*",
    "array": "a[$(touch PWNED)]",
    "blanks": "a  b\\",
}
QUOTED = '-X a=$(printf documented)'
SHELL = 'x "a b" \\\n  $(printf documented) \\\n'
MEANT = {"shell": {"shell": SHELL}, "quoted": {"quoted": QUOTED}}
CONFIGURE = '#!/bin/sh\nprintf "%s\\0" configure "$@" >>"$NOTES"\n'
ELF = b"\x7fELF\2\1\1" + bytes(9) + b"\3\0\x3e\0" + bytes(44)


def rows(table):
    with open(table) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                fields = line.rstrip("\n").split("\t") + [""] * 6
                yield fields[:6]


def inputs_of_all(melange):
    listed = subprocess.run([melange, "pipelines"], capture_output=True, text=True, check=True).stdout
    uses = None
    for line in listed.splitlines():
        if not line.startswith(" "):
            uses = line.split()[0]
        else:
            yield uses, re.match(r"[A-Za-z0-9_-]+", line.strip()).group()


def recipe(steps):
    # JSON is YAML
    return json.dumps({
        "package": {"name": "p", "version": "1", "epoch": 0, "copyright": [{"license": "MIT"}]},
        "subpackages": [{"name": "p-s", "pipeline": steps}],
    })


def compiled(melange, path, steps):
    with open(path, "w") as f:
        f.write(recipe(steps))
    return subprocess.run([melange, "compile", path, "--arch", "x86_64", "--git-commit", "0" * 40],
                          capture_output=True, text=True)


def scripts(step):
    own = [step["runs"]] if step.get("runs") else []
    return own + [s for inner in step.get("pipeline") or [] for s in scripts(inner)]


def others(text):
    return dict(item.split(": ", 1) for item in text.split("; ") if item)


def furnish(here, case):
    os.makedirs(here)
    for name in ["GLOBBED"] + [n for n in case["files"].split(",") if n]:
        os.makedirs(os.path.dirname(os.path.join(here, name)), exist_ok=True)
        with open(os.path.join(here, name), "wb") as f:
            f.write(ELF if name.endswith(".elf") else CONFIGURE.encode())
        os.chmod(os.path.join(here, name), stat.S_IRWXU)
    if case["kind"] == "dir":
        os.makedirs(os.path.join(here, case["value"]))
        for name in case["files"].split(","):
            to = os.path.join(here, case["value"], name or "GLOBBED")
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy(os.path.join(here, name or "GLOBBED"), to)


def make(melange, table, out):
    cases, known = [], {}
    for uses, name, kind, template, base, files in rows(table):
        known.setdefault(uses, set()).add(name)
        for value_name, value in MEANT.get(kind, VALUES).items():
            given = {**others(base), name: (template or "{}").replace("{}", value)}
            cases.append({"uses": uses, "input": name, "kind": kind, "how": value_name, "value": value,
                          "files": files, "step": {"uses": uses, "with": given}})
    missing = [f"{u}: {i}" for u, i in inputs_of_all(melange) if i not in known.get(u, ())]
    if missing:
        sys.exit("inputs without a row in the table:\n  " + "\n  ".join(missing))
    path = os.path.join(out, "recipe.yaml")
    for c in cases:
        if c["kind"] == "hex" and compiled(melange, path, [c["step"]]).returncode == 0:
            sys.exit(f"{c['uses']}: {c['input']}: the compiler takes {c['value']!r}")
    cases = [c for c in cases if c["kind"] != "hex"]
    done = compiled(melange, path, [c["step"] for c in cases])
    if done.returncode:
        sys.exit(done.stderr)
    for i, (c, step) in enumerate(zip(cases, json.loads(done.stdout)["subpackages"][0]["pipeline"])):
        d = os.path.join(out, "cases", f"{i:05}")
        furnish(os.path.join(d, "here"), c)
        with open(os.path.join(d, "script"), "w") as f:
            f.write("".join(f"(\n{s}\n)\n" for s in scripts(step)))
        with open(os.path.join(d, "case"), "w") as f:
            json.dump(c, f)
    os.remove(path)


def verdict(c, status, said, notes):
    """what is wrong with an outcome, or None"""
    kind, value = c["kind"], c["value"]
    says_why = re.search(rf"(?m)^({re.escape(c['uses'])}: |\[git checkout\] FAIL )", said)
    if "GLOBBED" in notes:
        return "a name was expanded"
    if status and says_why and (kind in ("refused", "any") or c["how"] == "dash"):
        return None
    if kind == "refused":
        return "it should have been refused" if not status else "it does not say why it failed"
    if status:
        return f"exit status {status}"
    if kind == "data" and not any(value in n for n in notes):
        return "the value is no argument"
    if kind == "words" and not all(any(w in n for n in notes) for w in value.split()):
        return "the words are no arguments"
    if kind == "quoted" and not any("documented" in n and "$(" not in n for n in notes):
        return "not what shell text means"
    if kind == "shell" and not {"x", "a b", "documented"} <= set(notes):
        return "not what shell text means"
    return None


def check(top):
    bad = 0
    for name in sorted(os.listdir(top)):
        d = os.path.join(top, name)

        def read(what):
            try:
                with open(os.path.join(d, what), errors="surrogateescape") as f:
                    return f.read()
            except FileNotFoundError:
                return ""
        c = json.loads(read("case"))
        said = read("said")
        wrong = verdict(c, int(read("status")), said, read("notes").split("\0"))
        if any("PWNED" in files + dirs for _, dirs, files in os.walk(d)):
            wrong = "the value was run"
        if wrong:
            bad += 1
            print(f"{c['uses']}: {c['input']} ({c['kind']}) = {c['value']!r}: {wrong}\n{said}")
    sys.exit(f"{bad} cases are wrong" if bad else 0)


if sys.argv[1] == "make":
    make(*sys.argv[2:])
else:
    check(sys.argv[2])
