#!/usr/bin/env python3
"""usage: compile.py BIN DIR [-n FILES] [--cpus LIST] [--pipeline-dir DIR]

What `melange compile` takes for build files: a process for each, and all of them in one. DIR holds
build files, which are copied until there are FILES (3,400). Figures are medians of five runs and, as
ratios, multiples of u: what `sha256sum` takes, start included, for the same files one process each."""
import argparse, os, shutil, statistics, subprocess, sys, tempfile, time

ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
ap.add_argument("bin")
ap.add_argument("dir")
ap.add_argument("-n", type=int, default=3400)
ap.add_argument("--cpus", default="0,1")
ap.add_argument("--pipeline-dir", default="")
o = ap.parse_args()
os.sched_setaffinity(0, {int(c) for c in o.cpus.split(",")})
melange = os.path.join(os.path.abspath(o.bin), "melange")
flags = ["--arch", "x86_64", "--git-commit", "0" * 40]
if o.pipeline_dir:
    flags += ["--pipeline-dir", os.path.abspath(o.pipeline_dir)]


def timed(cmd):
    start = time.monotonic()
    pid = os.posix_spawn(cmd[0], cmd, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    return time.monotonic() - start, usage.ru_maxrss, status


def each(cmd_of, files):
    times = []
    for f in files:
        best = min(timed(cmd_of(f))[0] for _ in range(3))
        times.append(best)
    return statistics.median(times), max(times)


sources = sorted(os.path.join(o.dir, f) for f in os.listdir(o.dir) if f.endswith(".yaml"))
if not sources:
    sys.exit(f"no build files in {o.dir}")
with tempfile.TemporaryDirectory() as d:
    for i in range(o.n):
        source = sources[i % len(sources)]
        shutil.copy(source, os.path.join(d, f"{i // len(sources):03}-{os.path.basename(source)}"))
    sha256sum = shutil.which("sha256sum")
    unit, _ = each(lambda f: [sha256sum, f], sources)
    one, worst = each(lambda f: [melange, "compile", f, *flags], sources)
    runs = [timed([melange, "compile", d, *flags]) for _ in range(5)]
    whole = statistics.median(r[0] for r in runs)
    print(f"u = {unit * 1e3:.2f} ms a file (sha256sum)")
    print(f"one process each   {one * 1e3:.2f} ms a file = {one / unit:.2f} u, the slowest {worst * 1e3:.2f} ms")
    print(f"one process        {whole:.2f} s for {o.n} files = {whole / o.n / unit:.2f} u a file, "
          f"peak {max(r[1] for r in runs) / 1024:.0f} MB")
