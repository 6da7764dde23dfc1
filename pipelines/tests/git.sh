#!/bin/bash
# git-checkout and git-am, from local repositories over file:// and HTTP.
# shellcheck source=pipelines/tests/lib.sh
. "$SRC/pipelines/tests/lib.sh"
own_mounts "$@"

export GIT_CONFIG_GLOBAL=$T/gitconfig GIT_CONFIG_NOSYSTEM=1
git config --global init.defaultBranch main
git config --global user.name Author
git config --global user.email author@example.test
git config --global protocol.file.allow always
git config --global uploadpack.allowFilter true
git config --global safe.directory '*'
export GIT_AUTHOR_DATE='@1000000000 +0000' GIT_COMMITTER_DATE='@1000000000 +0000'

# commit REPOSITORY FILE TEXT: one more commit; its id.
commit() {
	mkdir -p "$(dirname "$1/$2")"
	printf '%s\n' "$3" >"$1/$2"
	git -C "$1" add -A
	git -C "$1" commit -qm "$3"
	git -C "$1" rev-parse HEAD
}

# Branches main, 1.x (three commits past main), 2.x (diverged), dev (newer than the tag dev), cpick;
# light tags and annotated twins; a submodule that moves along 1.x.
make_fixture() {
	sub=$T/serve/sub.git
	r=$T/serve/repo.git
	git init -q "$sub"
	sub1=$(commit "$sub" s one)
	commit "$sub" s two >/dev/null
	git init -q "$r"
	main=$(commit "$r" file main)
	mkdir -p "$r/docs" "$r/src"
	commit "$r" docs/d docs >/dev/null
	main=$(commit "$r" src/s src)
	git -C "$r" tag 1.0
	git -C "$r" tag -a -m x 1.0-annotated
	annotated=$(git -C "$r" rev-parse 1.0-annotated)
	git -C "$r" checkout -qb 1.x
	x1=$(commit "$r" file x1)
	x2=$(commit "$r" file x2)
	x3=$(commit "$r" file x3)
	git -C "$r" tag 1.1
	git -C "$r" checkout -qb 2.x "$main"
	y1=$(commit "$r" other y1)
	git -C "$r" tag dev
	git -C "$r" checkout -qb dev
	commit "$r" file dev >/dev/null
	git -C "$r" checkout -qb cpick "$main"
	pick=$(commit "$r" picked picked)
	clash=$(commit "$r" file clash)
	git -C "$r" update-ref refs/pull/7/head "$pick"
	git -C "$r" checkout -qb withsub "$main"
	git -C "$r" submodule --quiet add "$sub" sub
	git config -f "$r/.gitmodules" submodule.sub.url ../sub.git
	git -C "$r/sub" checkout -q "$sub1"
	old=$(commit "$r" file old)
	git -C "$r/sub" checkout -q main
	commit "$r" file new >/dev/null
	git -C "$r" tag subbed "$old"
	git config -f "$r/.gitmodules" submodule.sub.url file:///home/build/sub
	commit "$r" file local >/dev/null
	git -C "$r" tag subfile
	git -C "$r" checkout -q main 2>/dev/null
	git -C "$r" format-patch -q -o "$T/mails" "$main..1.x~1"
	git -C "$r" format-patch -q -o "$T/mails" -1 --start-number 9 "$clash"
}

# checkout NAME 'KEY: VALUE'...: a case with these inputs.
inputs() {
	printf '  - uses: git-checkout\n    with:\n      repository: %s\n' "$repository"
	printf '      %s\n' "$@"
}
checkout() {
	works "$1" < <(inputs "${@:2}")
}
no_checkout() {
	refused "$1" "$2" < <(inputs "${@:3}")
}
at() {
	same "$1" "$(git -C "$ws/${2-}" rev-parse HEAD)" HEAD
}

branches_and_tags() {
	checkout tag 'tag: 1.0' "expected-commit: $main"
	at "$main"
	same origin "$(git -C "$ws" remote)" remote
	[ ! -e "$ws/.gitconfig" ] || fail 'HOME was written to'
	same '' "$(git -C "$ws" status --porcelain -uno)" status
	checkout annotated 'tag: 1.0-annotated' "expected-commit: $annotated"
	at "$main"
	says "WARNING: set expected-commit to $main"
	checkout upper 'tag: 1.0' "expected-commit: ${main^^}"
	checkout same-name 'tag: dev' "expected-commit: $y1"
	at "$y1"
	checkout tip 'branch: 1.x'
	at "$x3"
	says 'WARNING: no expected-commit'
	checkout older 'branch: 1.x' "expected-commit: $x1"
	at "$x1"
	same x1 "$(cat "$ws/file")" 'the file'
	no_checkout diverged 'FAIL expected commit .* is not in the history' 'branch: 2.x' "expected-commit: $x1"
	no_checkout shallow 'set depth to -1' 'branch: 1.x' 'depth: 1' "expected-commit: $x1"
	no_checkout wrong "FAIL tag '1.1' is commit $x3" 'tag: 1.1' "expected-commit: $main"
	no_checkout missing "FAIL cannot clone" 'tag: none' "expected-commit: $main"
	silent 'trying again'
	for depth in 1 2 -1; do
		checkout "tip$depth" 'branch: 1.x' "expected-commit: $x3" "depth: $depth" \
			'expected-commit-is-branch-tip: true'
	done
	no_checkout stale "FAIL the tip of '1.x'" 'branch: 1.x' "expected-commit: $x2" \
		'expected-commit-is-branch-tip: true'
	checkout bare "expected-commit: $main" 'depth: -1'
	says 'neither branch nor tag'
	no_checkout both 'exclude each other' 'branch: 1.x' 'tag: 1.0'
	no_checkout boolean 'must be true or false' 'tag: 1.0' 'recurse-submodules: maybe'
	no_checkout tip-tag 'needs a branch' 'tag: 1.0' "expected-commit: $main" \
		'expected-commit-is-branch-tip: true'
}

destinations() {
	checkout destination 'tag: 1.0' "expected-commit: $main" 'destination: a/b c'
	at "$main" 'a/b c'
	same main "$(cat "$ws/a/b c/file")" 'the file'
	local s
	s=$(source_of existing)
	mkdir -p "$s/src"
	echo mine >"$s/keep" && echo mine >"$s/src/keep" && echo mine >"$s/file"
	checkout existing 'tag: 1.0' "expected-commit: $main"
	same 'mine mine main src' "$(cd "$ws" && cat keep src/keep file src/s | xargs)" 'files'
	if [ "$(id -u)" = 0 ]; then
		works owner < <(
			printf '  - runs: |\n      mkdir src\n      echo mine >src/keep\n      chown 7:8 src src/keep\n'
			inputs 'tag: 1.0' "expected-commit: $main"
			echo '  - runs: stat -c %u:%g src src/keep | xargs | grep -x "7:8 7:8"'
		)
	fi
	works directory < <(
		printf '  - working-directory: deep\n    pipeline:\n'
		inputs 'tag: 1.0' "expected-commit: $main" | sed 's/^/    /'
	)
	at "$main" deep
	refused foreign "already holds a checkout of '$repository'" < <(
		inputs 'tag: 1.0' "expected-commit: $main"
		repository=$url/git/sub.git
		inputs 'branch: main'
	)
	works twice < <(
		inputs 'tag: 1.0' "expected-commit: $main" "cherry-picks: 'cpick/$pick: why'"
		inputs 'tag: 1.0' "expected-commit: $main" "cherry-picks: 'cpick/$pick: why'"
	)
	same picked "$(cat "$ws/picked")" 'the picked file'
	same '' "$(find "$ws" -maxdepth 1 -name '.checkout*')" 'left over'
	checkout sparse 'tag: 1.0' "expected-commit: $main" 'sparse-paths: docs'
	if [ ! -e "$ws/docs/d" ] || [ -e "$ws/src" ]; then
		fail 'not sparse'
	fi
}

picks() {
	inputs 'tag: 1.1' "expected-commit: $x3" 'cherry-picks: |' \
		"  # a comment" "    # indented" "" "  cpick/$pick: #123" "  2.x/$y1 : and this" >"$T/picks"
	works picks <"$T/picks"
	same 'picked y1 x3' "$(cd "$ws" && cat picked other file | xargs)" 'picked files'
	same 1 "$(grep -c 'execute: git fetch.*unshallow' "$log")" 'unshallowing'
	local id
	id=$(git -C "$ws" rev-parse HEAD)
	works picks-again <"$T/picks"
	at "$id"
	same "$(git -C "$r" show -s --format=%an%ad "$y1")" "$(git -C "$ws" show -s --format=%an%ad)" author
	same '@315532800' "@$(git -C "$ws" show -s --format=%ct)" 'committer date'
	checkout pick-same 'branch: cpick' "expected-commit: $main" "cherry-picks: 'cpick/$pick: same branch'"
	checkout pick-pull 'tag: 1.1' "expected-commit: $x3" "cherry-picks: 'pull/7/head/$pick: a request'"
	same picked "$(cat "$ws/picked")" 'the picked file'
	no_checkout conflict "FAIL cannot cherry-pick" 'tag: 1.1' "expected-commit: $x3" \
		"cherry-picks: 'cpick/$clash: conflicts'"
	no_checkout no-comment 'has no comment' 'tag: 1.1' "cherry-picks: 'cpick/$pick:'"
	no_checkout no-colon 'is not of the form' 'tag: 1.1' "cherry-picks: cpick/$pick"
	no_checkout no-object 'FAIL cannot cherry-pick' 'tag: 1.1' "cherry-picks: '$clash: not in the clone'"
}

submodules() {
	for ref in 'branch: withsub' 'tag: subbed'; do
		checkout "sub-${ref%%:*}" "$ref" "expected-commit: $old" 'recurse-submodules: true' \
			'submodule-jobs: 2'
		at "$old"
		at "$sub1" sub
		same one "$(cat "$ws/sub/s")" 'the file of the submodule'
	done
	no_checkout sub-file "transport 'file' not allowed" 'tag: subfile' 'recurse-submodules: true'
	local s environment
	s=$(source_of sub-allowed)
	cp -r "$sub" "$s/sub"
	environment='environment: {GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: protocol.file.allow, GIT_CONFIG_VALUE_0: always}'
	works sub-allowed < <(
		inputs 'tag: subfile' 'recurse-submodules: true' 'shallow-submodules: true' 'destination: tree'
		printf '    %s\n' "$environment"
	)
	same two "$(cat "$ws/tree/sub/s")" 'the file of the submodule'
}

over_http() {
	repository=$url/fail/$shell-git/2/503/git/repo.git
	checkout flaky 'tag: 1.0' "expected-commit: $main"
	at "$main"
	same 3 "$(grep -c 'execute: git clone' "$log")" attempts
	slept 2-4 4-8
	repository=$url/fail/$shell-gone/9/503/git/repo.git
	no_checkout gone 'gave up after 2 attempts' 'tag: 1.0' 'initial-backoff: 90' 'max-retries: 1'
	slept 90-180
	repository=$url/fail/$shell-cap/3/503/git/repo.git
	checkout capped 'tag: 1.0' "expected-commit: $main" 'initial-backoff: 5' 'max-backoff: 7'
	slept 5-10 7-14 7-14
	repository=$url/git/none.git
	no_checkout not-found 'FAIL cannot clone' 'tag: 1.0'
	silent 'trying again'
	repository=${url/:\/\//:\/\/user:secret@}/git/repo.git
	checkout secret 'branch: 1.x' "expected-commit: $x2"
	at "$x2"
	silent 'secret@'
	repository='ext::sh -c touch% PWNED'
	no_checkout ext "is not a URL|transport 'ext' not allowed" 'tag: 1.0'
	repository=-upload-pack=x
	no_checkout dash 'starts with a dash' 'tag: 1.0'
}

mails() {
	local s
	for name in am am-again am-conflict am-missing am-dash; do
		s=$(source_of "$name")
		cp "$T"/mails/* "$s"
	done
	am() {
		inputs 'tag: 1.0' "expected-commit: $main"
		printf '  - uses: git-am\n    with:\n      patches: %s\n' "$1"
	}
	works am < <(am '0001-x1.patch 0002-x2.patch')
	same 'x2 x1 src' "$(git -C "$ws" log --format=%s -3 | xargs)" subjects
	same "Author 1000000000 315532800" "$(git -C "$ws" log --format='%an %at %ct' -1)" 'identity and dates'
	local id
	id=$(git -C "$ws" rev-parse HEAD)
	works am-again < <(am '0001-x1.patch 0002-x2.patch')
	at "$id"
	refused am-conflict 'git-am: cannot apply' < <(am '0001-x1.patch 0009-clash.patch')
	[ ! -e "$ws/.git/rebase-apply" ] || fail 'rebase-apply was left'
	at "$main"
	refused am-missing "'none.patch' does not exist" < <(am 'none.patch')
	refused am-dash 'starts with a dash' < <(am '-x')
}

cases() {
	local s
	no_sleep
	repository=$url/git/repo.git
	branches_and_tags
	destinations
	picks
	mails
	# Where only the guest can see it: the workspace.
	s=$(source_of local)
	cp -r "$r" "$s/repo"
	repository=file:///home/build/repo
	checkout local 'branch: 1.x' "expected-commit: $x1" 'destination: tree'
	at "$x1" tree
	repository=$url/git/repo.git
	submodules
	over_http
}

make_fixture
serve "$T/serve"
each_shell cases
