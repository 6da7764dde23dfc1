#!/usr/bin/env python3
"""usage: check_apk.py KEY.pub APKINDEX.tar.gz APK...

Checks packages with other tools than ours: openssl verifies the signature over the control
member; datahash, the index's C: and every file's checksum are computed anew."""
import base64, hashlib, io, os, subprocess, sys, tarfile, tempfile, zlib


def members(data):
    """The gzip members of a file: (compressed, content)."""
    out = []
    while data:
        d = zlib.decompressobj(31)
        content = d.decompress(data) + d.flush()
        used = len(data) - len(d.unused_data)
        out.append((data[:used], content))
        data = d.unused_data
    return out


def entries(tar):
    """Files of a tar section that may lack its end."""
    with tarfile.open(fileobj=io.BytesIO(tar + b'\0' * 1024)) as t:
        return {m.name: (m, t.extractfile(m).read() if m.isfile() else None) for m in t}


def fields(text):
    out = {}
    for line in text.decode().splitlines():
        key, _, value = line.partition(' = ')
        out.setdefault(key, []).append(value)
    return out


def index_records(path):
    with tarfile.open(path) as t:
        text = t.extractfile('APKINDEX').read().decode()
    out = {}
    for record in text.split('\n\n'):
        r = dict(line.split(':', 1) for line in record.splitlines() if ':' in line)
        if r:
            out[(r['P'], r['V'])] = r
    return out


def verify(key, signature, signed, algorithm):
    with tempfile.TemporaryDirectory() as tmp:
        for name, data in (('sig', signature), ('data', signed)):
            with open(os.path.join(tmp, name), 'wb') as f:
                f.write(data)
        subprocess.run(['openssl', 'dgst', algorithm, '-verify', key, '-signature', tmp + '/sig',
                        tmp + '/data'], check=True, stdout=subprocess.DEVNULL)


def check(key, records, path):
    with open(path, 'rb') as f:
        raw = f.read()
    (sig_gz, sig_tar), (control_gz, control_tar), (data_gz, data_tar) = members(raw)
    assert len(sig_gz) + len(control_gz) + len(data_gz) == len(raw)
    (name, (_, signature)), = entries(sig_tar).items()
    assert name == '.SIGN.RSA256.' + os.path.basename(key), name
    verify(key, signature, control_gz, '-sha256')
    info = fields(entries(control_tar)['.PKGINFO'][1])
    assert info['datahash'] == [hashlib.sha256(data_gz).hexdigest()]
    record = records[(info['pkgname'][0], info['pkgver'][0])]
    assert record['C'] == 'Q1' + base64.b64encode(hashlib.sha1(control_gz).digest()).decode()
    assert int(record['S']) == len(raw)
    assert record.get('D', '').split() == info.get('depend', []), record
    assert record.get('p', '').split() == info.get('provides', []), record
    files = 0
    for m, content in entries(data_tar).values():
        if m.isfile() or m.issym():
            want = m.pax_headers['APK-TOOLS.checksum.SHA1']
            assert want == hashlib.sha1(m.linkname.encode() if m.issym() else content).hexdigest(), m.name
            files += 1
    print('%s: signature, datahash, C: and %d checksums agree' % (os.path.basename(path), files))


if __name__ == '__main__':
    index = index_records(sys.argv[2])
    for apk in sys.argv[3:]:
        check(sys.argv[1], index, apk)
