#!/bin/bash
# An index that was verified is not verified again as long as nobody has written to the file and
# the keys are the same: any change of either is seen, also one that leaves size and time alone.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution
list=$work/cache/apko/index/st
index=repo/x86_64/APKINDEX.tar.gz
show() { "$apko" show-packages image.yaml "$@"; }

ok show
[ ! -e "$list" ] || fail 'an index made just now is noted as verified'
sleep 3
ok show
cp stdout first
[ "$(find "$list" -type f | wc -l)" = 1 ] || fail 'not noted as verified'
# What is noted is used: the libraries that verify are not even loaded.
LD_DEBUG=files "$apko" show-packages image.yaml >stdout 2>loaded
same first stdout
grep -q 'libc\.so' loaded || fail 'the loader does not tell'
! grep -q 'libcrypto' loaded || fail 'verified again'

# Another byte in the same file, with the old size and time.
cp -p "$index" kept
/usr/bin/python3 - "$index" <<'P'
import os, sys
st = os.stat(sys.argv[1])
with open(sys.argv[1], "r+b") as f:
    f.seek(st.st_size * 7 // 8)
    byte = f.read(1)[0]
    f.seek(st.st_size * 7 // 8)
    f.write(bytes([byte ^ 1]))
os.utime(sys.argv[1], ns=(st.st_atime_ns, st.st_mtime_ns))
P
[ "$(stat -c '%s %Y' "$index")" = "$(stat -c '%s %Y' kept)" ] || fail 'the test changed size or time'
bad 'signature verification failed' show
cat kept >"$index"
ok show
same first stdout
sleep 3
ok show

# Other keys: the name alone does not count, nor what was once verified without any.
mkdir other
"$BIN/melange" keygen --key-size 2048 other/test.rsa 2>/dev/null
sed 's,test.rsa.pub,other/test.rsa.pub,' image.yaml >other.yaml
bad 'signature verification failed' "$apko" show-packages other.yaml
ok "$apko" show-packages other.yaml --ignore-signatures
bad 'signature verification failed' "$apko" show-packages other.yaml
echo 'no key' >other/test.rsa.pub
bad "'test.rsa.pub' is not a public key" "$apko" show-packages other.yaml
bad "'test.rsa.pub' is not a public key" "$apko" show-packages other.yaml --ignore-signatures
ok show
same first stdout

# A damaged note is as good as none.
find "$list" -type f -exec chmod 644 {} + -exec truncate -s 40 {} +
ok show
same first stdout
