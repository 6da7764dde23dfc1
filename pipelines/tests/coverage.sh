#!/bin/bash
# xcover/* with a stub, since it needs a kernel's privileges and no package has it; llvm/covreport
# with clang.
# shellcheck source=pipelines/tests/lib.sh
. "$SRC/pipelines/tests/lib.sh"
own_mounts "$@"

xcover() {
	stub xcover <<-'EOT'
		#!/bin/sh
		for a; do
			printf 'xcover: [%s]\n' "$a"
		done
		if [ "$1" = stop ]; then
			printf '{"cov_by_func": %s}\n' "$(cat cov)" >xcover-report.json
		fi
	EOT
	works calls <<-'EOT'
		  - runs: echo 5 >cov
		  - uses: xcover/profile
		    with: {executable-path: /usr/bin/a b, exclude-functions: '^(x|y).*$', include-functions: "a'b", wait-timeout: 7}
		  - uses: xcover/wait
		  - uses: xcover/status
		  - uses: xcover/stop
	EOT
	same "[run] [--path] [/usr/bin/a b] [--exclude=^(x|y).*\$] [--include=a'b] [--scope=project] \
[--log-level=info] [--verbose=false] [--status] [--detach] [wait] [--timeout] [7s] [wait] [--timeout] [60s] \
[status] [stop]" "$(sed -n 's/.*INFO xcover: //p' "$log" | tr '\n' ' ' | sed 's/ $//')" calls
	local case cov min
	for case in '5 5' '12.3 5' '0 0' '100 99.9' '5 '; do
		read -r cov min <<<"$case"
		works "ensure$passed" < <(ensure "$cov" "$min")
		says "Coverage by functions: $cov%"
	done
	for case in '4.9 5' '0 .1'; do
		read -r cov min <<<"$case"
		refused "ensure$passed" "at least $min% is wanted" < <(ensure "$cov" "$min")
	done
	refused ensure-text 'must be a number' < <(ensure 5 'a[0]')
	refused ensure-null 'does not tell the coverage' < <(ensure null 1)
	refused ensure-none 'there is no xcover-report.json' <<<'  - uses: xcover/ensure'
	rm "$root_bin/xcover"
}
ensure() {
	printf '  - runs: echo %s >cov\n  - uses: xcover/stop\n  - uses: xcover/ensure\n' "$1"
	[ -z "$2" ] || printf '    with: {min-coverage: "%s"}\n' "$2"
}

# Half of the functions run, but two thirds of the lines.
llvm_source() {
	local d
	d=$(source_of "$1")
	printf '%s\n' 'int unused(void) {' 'return 1;' '}' 'int main(void) {' 'int x = 0;' 'x++;' 'x--;' \
		'return x;' '}' >"$d/m c.c"
}
instrumented() {
	llvm_source "$1"
	cat <<-'EOT'
		  - runs: |
		      clang -fprofile-instr-generate -fcoverage-mapping -o 'a b' 'm c.c'
		      LLVM_PROFILE_FILE=default_1.profraw './a b'
		      LLVM_PROFILE_FILE=default_2.profraw './a b'
	EOT
}
llvm() {
	works object < <(
		instrumented object
		printf '  - uses: llvm/covreport\n    with: {object: ./a b}\n'
	)
	says 'Statements coverage: 66.67%'
	stub apk <<-'EOT'
		#!/bin/sh
		printf '%s contains:\nusr/share/x\nhome/build/bin/tool\nhome/build/bin/zzz\n\n' "$3"
	EOT
	works from-package < <(
		instrumented from-package
		printf '  - runs: mkdir bin && cp "a b" bin/tool\n  - uses: llvm/covreport\n'
	)
	says 'Statements coverage: 66.67%'
	rm "$root_bin/apk"
	works from-path < <(
		instrumented from-path
		printf '  - runs: cp "a b" zzz\n  - uses: llvm/covreport\n    with: {object: zzz}\n'
		printf '    environment: {PATH: "/usr/bin:/bin:/home/build"}\n'
	)
	says 'Statements coverage: 66.67%'
	refused all-ignored 'reported no total|could not|[Ee]rror' < <(
		instrumented all-ignored
		printf '  - uses: llvm/covreport\n    with: {object: ./none}\n'
	)
	refused no-profiles 'cannot merge the default_\*.profraw' <<<'  - uses: llvm/covreport'
	works ignored < <(
		instrumented ignored
		printf '  - uses: llvm/covreport\n    with: {object: ./a b, ignore-filename-regex: "x|nothing$"}\n'
	)
	says 'Statements coverage: 66.67%'
}

cases() {
	xcover
	llvm
}

each_shell cases
