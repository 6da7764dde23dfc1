#!/usr/bin/env python3
"""`melange bump` on real files: against the recorded results of the existing tool, and on every
build file there is with a new version, where the difference may touch version, epoch, sums and the
commit, and nothing else.

The existing tool writes the whole file anew, so recorded files are compared as values: just the
rows of edits.tsv may have changed. Ours changes bytes of those values only."""
import difflib
import http.server
import os
import re
import subprocess
import sys
import tempfile
import threading

import yaml

MELANGE = os.path.join(os.environ["BIN"], "melange")
DATA = os.path.join(os.environ["SRC"], "..", "shared", "data")
GOLDEN = os.path.join(DATA, "compile-golden", "bump")
# The existing tool's defects: what must happen instead, and why.
DIFFERENT = {
    "gsm+fullversion": 0,  # package.full-version is a variable like others
}
MESSAGES = {
    "gsm+404": "no-such-file",
    "gsm+noepoch": "package.epoch missing, cannot bump",
}
COMMIT = "c" * 40


class Handler(http.server.BaseHTTPRequestHandler):
    """Every path is answered with itself and a newline."""
    requests = []

    def log_message(self, *args):
        pass

    def do_GET(self):
        Handler.requests.append(self.path)
        missing = "no-such-file" in self.path
        body = b"" if missing else self.path.encode() + b"\n"
        self.send_response(404 if missing else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Texts(yaml.SafeLoader):
    """Scalars as their text."""


Texts.yaml_implicit_resolvers = {}


def values(text):
    out = {}

    def walk(v, at):
        if isinstance(v, dict):
            for k, x in v.items():
                walk(x, f"{at}.{k}" if at else k)
        elif isinstance(v, list):
            for i, x in enumerate(v):
                walk(x, f"{at}[{i}]")
        else:
            out[at] = v
    walk(yaml.load(text, Texts), "")
    return out


def read(path):
    with open(path, encoding="utf-8", newline="") as f:
        return f.read()


def bump(directory, text, version, commit):
    path = os.path.join(directory, "x.yaml")
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(text)
    os.chmod(path, 0o640)
    Handler.requests.clear()
    args = [MELANGE, "bump", "x.yaml", version] + (["--expected-commit", commit] if commit else [])
    p = subprocess.run(args, cwd=directory, capture_output=True, text=True)
    if os.stat(path).st_mode & 0o777 != 0o640:
        return p, "the mode changed"
    return p, read(path)


def changed_lines(before, after):
    diff = difflib.ndiff(before.splitlines(True), after.splitlines(True))
    return [line for line in diff if line[0] in "-+"]


ALLOWED = re.compile(r"^[-+] (package:)?[\s{,-]*['\"]?(version|epoch|expected-(sha256|sha512|commit))\b")


def recorded(port, directory):
    edits = {}
    for line in read(os.path.join(GOLDEN, "edits.tsv")).splitlines()[1:]:
        case, path, old, new = line.split("\t")
        edits.setdefault(case, {})[path] = (old, new)
    for line in read(os.path.join(GOLDEN, "cases.tsv")).splitlines()[1:]:
        case, version, commit, _, status, requests, _ = line.split("\t")
        before = read(os.path.join(GOLDEN, case + ".before.yaml")).replace("127.0.0.1:18931", f"127.0.0.1:{port}")
        p, after = bump(directory, before, version, "" if commit == "-" else commit)
        want_status = DIFFERENT.get(case, int(status))
        if p.returncode != want_status:
            yield case, f"exit {p.returncode}: {p.stderr}"
        elif want_status:
            yield case, None if after == before and MESSAGES[case] in p.stderr else f"says {p.stderr}"
        elif case in DIFFERENT:
            yield case, None if "full" in "".join(Handler.requests) or Handler.requests else "no request"
        else:
            old, new = values(before), values(after)
            got = {k: (old.get(k), new[k]) for k in new if old.get(k) != new[k]}
            want = {k: v for k, v in edits.get(case, {}).items() if not re.search(r"packages\[|runtime\[", k)}
            asked = [] if requests == "-" else requests.split(" ")
            lines = [x for x in changed_lines(before, after) if not ALLOWED.match(x)]
            yield case, (f"changed {got}, not {want}" if got != want else
                         f"asked for {Handler.requests}, not {asked}" if Handler.requests != asked else
                         f"changed lines {lines}" if lines else None)


def every_file(port, directory):
    folder = os.path.join(DATA, "configs", "wolfi")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".yaml"):
            continue
        text = re.sub(r"(?m)^(\s*-?\s*uri:\s*)['\"]?https?://[^/\s]+/", rf"\1http://127.0.0.1:{port}/",
                      read(os.path.join(folder, name)))
        p, after = bump(directory, text, "99.99.99", COMMIT)
        if p.returncode:
            yield name, p.stderr
            continue
        lines = [x for x in changed_lines(text, after) if not ALLOWED.match(x)]
        yield name, f"changed lines {lines}" if lines or values(after)["package.version"] != "99.99.99" else None


def main():
    if not os.path.isdir(GOLDEN):
        print("skipped: no recorded results")
        return 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rows = bad = 0
    with tempfile.TemporaryDirectory() as directory:
        for source in (recorded, every_file):
            for name, problem in source(server.server_port, directory):
                rows += 1
                if problem:
                    bad += 1
                    print(f"{name}: {problem}")
    print(f"{rows} rows, {bad} not as expected")
    return 1 if bad or rows < 200 else 0


sys.exit(main())
