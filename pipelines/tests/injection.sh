#!/bin/bash
# Every input of every built-in pipeline with hostile text: injection.tsv says of each what becomes
# of it. The tools the pipelines call are stubs that note their arguments.
# shellcheck source=pipelines/tests/lib.sh
. "$SRC/pipelines/tests/lib.sh"
own_mounts "$@"

tools='apk autoreconf cargo cmake gem go gobump jq llvm-cov llvm-profdata make meson mvn node npm objcopy
	patch perl phpize php-config pnpm pombump Rscript ruby scanelf strip wget xcover'

make_stubs() {
	local tool
	for tool in $tools; do
		stub "$tool" <<-'EOT'
			#!/bin/sh
			printf '%s\0' "${0##*/}" "$@" >>"$NOTES"
			case ${0##*/} in
			wget)
				while [ $# -gt 0 ]; do
					[ "$1" != -O ] || head -c 10240 /dev/zero >"$2"
					shift
				done
				;;
			jq) echo 5 ;;
			go) [ "$1" != install ] || echo x >"$GOBIN/x" ;;
			llvm-cov) echo 'TOTAL 1 1 1% 1 1 1% 1 1 50.00%' ;;
			apk) printf 'x contains:\nusr/bin/x\n' ;;
			esac
		EOT
	done
	# As far as a checkout wants to see something happen.
	stub git <<-'EOT'
		#!/bin/sh
		printf '%s\0' git "$@" >>"$NOTES"
		case $* in
		clone*)
			for last; do :; done
			mkdir -p "$last"
			;;
		*'rev-parse --is-shallow'*) echo false ;;
		*rev-parse*) echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ;;
		esac
	EOT
}

cases() {
	make_stubs
	local s
	s=$(source_of all)
	/usr/bin/python3 "$SRC/pipelines/tests/injection.py" make "$BIN/melange" \
		"$SRC/pipelines/tests/injection.tsv" "$s"
	works all <<-'EOT'
		  - runs: |
		      mkdir -p melange-out/p/usr/lib melange-out/p-s
		      : >melange-out/p/usr/lib/libx.so.1
		      set +e
		      for c in /home/build/cases/*; do
		        cd "$c/here"
		        NOTES=$c/notes /bin/sh -c 'set -eo pipefail
		          . ../script' >../said 2>&1
		        echo $? >../status
		      done
		      ! ls /home/build/PWNED /home/build/melange-out/PWNED /tmp/PWNED 2>/dev/null
	EOT
	/usr/bin/python3 "$SRC/pipelines/tests/injection.py" check "$ws/cases" || fail 'see above'
	passed=$((passed + $(find "$ws/cases" -mindepth 1 -maxdepth 1 | wc -l)))
}

each_shell cases
