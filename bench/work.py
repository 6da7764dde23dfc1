#!/usr/bin/env python3
"""usage: work.py BIN [DIR] [-n RUNS] [--cpus LIST]

Times whole commands on work of real size and prints them as multiples of u, the time of
`openssl dgst -sha256` over the image's uncompressed layer, measured in the same run: no single-layer
image can be finished in less than 1 u. Peak memory is that of the largest process.

DIR holds image.yaml, small.yaml, big.yaml, local.rsa and local.rsa.pub, and what they name. Without
it the packages that examples/run has left in build/examples are used, with files made here."""
import argparse, gzip, json, os, re, shutil, statistics, subprocess, sys, tempfile, time

IMAGE = '''contents:
  repositories: [./packages]
  keyring: [./local.rsa.pub]
  packages: [base, shell, coreutils, gcc, make, autotools, wget, scanelf]
'''
BUILD = '''package:
  name: %s
  version: 1.0.0
  epoch: 0
environment:
  contents:
    repositories: [./packages]
    keyring: [./local.rsa.pub]
    packages: [shell, coreutils, gcc, make]
pipeline:
  - runs: |
      mkdir -p "${{targets.destdir}}/opt/tree"
      %s
'''
SMALL = "echo 'int main(void) { return 0; }' >s.c && gcc -o \"${{targets.destdir}}/opt/tree/s\" s.c"
BIG = 'cp -a /usr/lib /usr/bin "${{targets.destdir}}/opt/tree/"'


def run(cmd, cwd, env):
    """(seconds, peak KiB, phases in ms)"""
    with tempfile.TemporaryFile() as log:
        start = time.monotonic()
        p = subprocess.Popen(cmd, cwd=cwd, env=env, stdout=log, stderr=log)
        _, status, usage = os.wait4(p.pid, 0)
        took = time.monotonic() - start
        log.seek(0)
        text = log.read().decode(errors='replace')
    if status != 0:
        sys.exit('%s failed:\n%s' % (' '.join(cmd), text[-2000:]))
    phases = re.findall(r'phase ([a-z /-]+): ([0-9.]+) ms', text)
    return took, usage.ru_maxrss, [(n, float(ms)) for n, ms in phases]


class Bench:
    def __init__(self, opts, work):
        self.opts, self.work = opts, work
        self.env = dict(os.environ, XDG_CACHE_HOME=work + '/cache', SOURCE_DATE_EPOCH='1700000000')
        self.pin = ['taskset', '-c', opts.cpus]
        self.bin = os.path.abspath(opts.bin)
        self.dir = os.path.abspath(opts.dir)

    def image(self, config='image.yaml'):
        return self.pin + [self.bin + '/apko', 'build', config, 'bench/image:latest', self.work + '/image',
                           '--arch', 'host', '--log-level', 'debug']

    def without_one(self):
        """Image files that each lack another package: the cheapest change of one."""
        with open(self.dir + '/image.yaml') as f:
            text = f.read()
        inline = re.search(r'packages: \[(.*)\]', text)
        names = inline[1].split(', ') if inline else re.findall(r'^    - ([a-z0-9+.-]+)$', text, re.M)
        for i, name in enumerate(names[-self.opts.n:]):
            path = '%s/less%d.yaml' % (self.work, i)
            with open(path, 'w') as f:
                f.write(text.replace(', ' + name, '') if inline else re.sub(r'(?m)^    - %s\n' % re.escape(name), '', text))
            yield path

    def melange(self, name):
        return self.pin + [self.bin + '/melange', 'build', name + '.yaml', '--arch', 'host', '--signing-key',
                           'local.rsa', '--out-dir', self.work + '/out', '--git-commit', 'unknown',
                           '--git-repo-url', 'https://example.org/x', '--log-level', 'debug',
                           '--source-dir', self.work + '/empty']

    def unit(self):
        layout = self.work + '/image'
        with open(layout + '/index.json') as f:
            manifest = json.load(f)['manifests'][0]['digest'][7:]
        with open(layout + '/blobs/sha256/' + manifest) as f:
            layer = json.load(f)['layers'][0]['digest'][7:]
        tar = self.work + '/layer.tar'
        with gzip.open(layout + '/blobs/sha256/' + layer) as src, open(tar, 'wb') as dst:
            shutil.copyfileobj(src, dst, 1 << 20)
        times = []
        for _ in range(self.opts.n + 2):
            start = time.monotonic()
            subprocess.run(self.pin + ['openssl', 'dgst', '-sha256', tar], check=True, stdout=subprocess.DEVNULL)
            times.append(time.monotonic() - start)
        self.u = min(times)
        print('u = %.3f s (sha256 of %.0f MB)' % (self.u, os.path.getsize(tar) / 1e6))

    def report(self, name, cmds, before):
        rows = []
        for cmd in cmds:
            before()
            os.makedirs(self.work + '/image', exist_ok=True)
            os.sync()
            rows.append(run(cmd, self.dir, self.env))
        took = statistics.median(r[0] for r in rows)
        peak = max(r[1] for r in rows) / 1024
        print('%-34s %6.2f s = %5.2f u   peak %4.0f MB' % (name, took, took / self.u, peak))
        for phase, ms in sorted(rows, key=lambda r: r[0])[len(rows) // 2][2]:
            if ms >= 1:
                print('    %-30s %8.1f ms' % (phase, ms))

    def wipe(self, *names):
        return lambda: [shutil.rmtree(os.path.join(self.work, n), ignore_errors=True) for n in names]


def main():
    ap = argparse.ArgumentParser(usage=__doc__)
    ap.add_argument('bin')
    ap.add_argument('dir', nargs='?')
    ap.add_argument('-n', type=int, default=3)
    ap.add_argument('--cpus', default='0,1')
    opts = ap.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory(dir=os.environ.get('TMPDIR', '/tmp')) as work:
        if not opts.dir:
            opts.dir = work + '/in'
            os.mkdir(opts.dir)
            made = os.path.join(here, '../build/examples')
            if not os.path.isdir(made + '/packages'):
                sys.exit('no packages to work on: run examples/run first, or name a directory')
            for n in ('packages', 'local.rsa', 'local.rsa.pub'):
                os.symlink(os.path.abspath(os.path.join(made, n)), os.path.join(opts.dir, n))
            for n, text in (('image', IMAGE), ('small', BUILD % ('small', SMALL)), ('big', BUILD % ('big', BIG))):
                with open('%s/%s.yaml' % (opts.dir, n), 'w') as f:
                    f.write(text)
        os.mkdir(work + '/empty')
        b = Bench(opts, work)
        os.mkdir(work + '/image')
        run(b.image(), b.dir, b.env)
        b.unit()
        b.report('image, empty cache', [b.image()] * opts.n, b.wipe('cache', 'image'))
        b.report('image, one package changed', map(b.image, b.without_one()), b.wipe('image'))
        b.report('image, nothing changed', [b.image()] * (opts.n + 1), b.wipe())
        for name in ('small', 'big'):
            run(b.melange(name), b.dir, b.env)
            b.report('melange build %s, cache filled' % name, [b.melange(name)] * opts.n, b.wipe('out'))


if __name__ == '__main__':
    main()
