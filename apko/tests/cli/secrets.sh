#!/bin/bash
# A repository that asks for a password, given in each way there is: the build gets everything, and
# neither output, messages nor anything on disk has the password in any spelling.
# Rows of the feature checklist (apko 9): I065.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution
mkdir www
mv repo www/
password=hushHUSH77word
cat >server.py <<-'END'
	import base64, functools, http.server, sys
	want = "Basic " + base64.b64encode(("joe:" + sys.argv[1]).encode()).decode()
	class Handler(http.server.SimpleHTTPRequestHandler):
	    def do_GET(self):
	        if self.headers.get("Authorization") == want:
	            return super().do_GET()
	        self.send_response(401)
	        self.send_header("WWW-Authenticate", 'Basic realm="x"')
	        self.send_header("Content-Length", "0")
	        self.end_headers()
	    def log_message(self, *args):
	        pass
	server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory="www"))
	print(server.server_port, flush=True)
	server.serve_forever()
END
python3 server.py "$password" >port &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
for _ in {1..100}; do
	[ -s port ] || sleep 0.05
done
port=$(cat port)

# try WHAT USERINFO [VAR=VALUE...]: build, lock and show packages
try() {
	local what=$1 userinfo=$2 encoded
	shift 2
	rm -rf out cache lock.json
	mkdir out
	sed "s,\[repo\],['http://${userinfo}127.0.0.1:$port/repo']," image.yaml >out/image.yaml
	ok env "$@" "$apko" build out/image.yaml small:1 out/oci/ --log-level debug --sbom-path out
	cp stderr out/log.build
	cp stdout out/stdout.build
	ok env "$@" "$apko" lock out/image.yaml --output lock.json --log-level debug
	cp stderr out/log.lock
	mv lock.json out/
	ok env "$@" "$apko" show-packages out/image.yaml --log-level debug
	cat stdout stderr >out/packages
	rm out/image.yaml
	encoded=$(printf 'joe:%s' "$password" | base64)
	mkdir out/unpacked
	find out/oci/blobs -type f -exec sh -c 'gzip -dc "$1" >"out/unpacked/${1##*/}" 2>/dev/null' _ {} \;
	for secret in "$password" "$encoded" "$(echo "$password" | tr '[:upper:]' '[:lower:]')"; do
		if grep -rlaiF -- "$secret" out cache; then
			fail "$what: the password is in the files above"
		fi
	done
	[ -n "$(ls -A cache/apko/indexes)" ] || fail "$what: nothing was downloaded"
}

try 'user information' "joe:$password@" A=b
try HTTP_AUTH '' "HTTP_AUTH=basic:127.0.0.1:joe:$password"
printf 'machine 127.0.0.1 login joe password %s\n' "$password" >"$HOME/.netrc"
chmod 600 "$HOME/.netrc"
try netrc '' A=b
rm "$HOME/.netrc"

# And where it is wrong, or missing, or nobody answers.
sed "s,\[repo\],['http://joe:${password}x@127.0.0.1:$port/repo']," image.yaml >wrong.yaml
bad '401' "$apko" build wrong.yaml small:1 wrong/ --log-level debug
grep -qF "127.0.0.1:$port/repo/x86_64/APKINDEX.tar.gz" stderr || fail 'wrong: no URL'
! grep -qF "$password" stderr || fail 'wrong: the password is shown'
sed "s,\[repo\],['http://127.0.0.1:$port/repo']," image.yaml >none.yaml
bad '401' "$apko" build none.yaml small:1 none/
bad 'no offline cached entries for' "$apko" build wrong.yaml small:1 wrong/ --offline --cache-dir other
! grep -qF "$password" stderr || fail 'offline: the password is shown'
