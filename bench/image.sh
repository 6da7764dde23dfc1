#!/bin/bash
# How long images take: an image of generated packages is built with an empty cache, with one
# package changed, and with nothing changed, on two processors. Times are given in u, that of
# `openssl dgst -sha256` over the layer's tar: no single-layer image can be finished in less than
# 1 u, since its diffID is one serial SHA-256.
#
#   bench/image.sh [BUILD-DIRECTORY] [PACKAGES] [MIB-EACH]
#
# The work is made in a directory of its own, which goes away.
set -euo pipefail
build=$(realpath "${1:-build/release}")
packages=${2:-100} mib=${3:-5}
apko=$build/bin/apko
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export XDG_CACHE_HOME=$work/cache LC_ALL=C
[ "$(nproc)" -le 2 ] || taskset -p -c 0,1 $$ >/dev/null

# content PACKAGE FILE: half of it text that compresses well, half that hardly does
content() {
	seq "$1$2" "$(($1$2 + 74000))"
	openssl enc -aes-128-ctr -K "0$1$2" -iv 0 -in /dev/zero 2>/dev/null |
		head -c 393216 | base64 || true
}

# package NAME DIR [FIELD=TEXT...]
package() {
	local name=$1 dir=$2
	shift 2
	"$build/tests/mkapk" "repo/x86_64/$name-1-r0.apk" bench.rsa "$dir" "name=$name" version=1-r0 \
		arch=x86_64 "origin=$name" license=MIT time=1700000000 "$@"
}

index() {
	rm -f repo/x86_64/APKINDEX.tar.gz
	"$build/bin/melange" index -o repo/x86_64/APKINDEX.tar.gz --signing-key bench.rsa \
		repo/x86_64/*.apk 2>/dev/null
}

make_work() {
	local i k
	mkdir -p repo/x86_64
	"$build/bin/melange" keygen --key-size 4096 bench.rsa 2>/dev/null
	printf 'contents:\n  keyring: [bench.rsa.pub]\n  repositories: [repo]\n  packages:\n' >image.yaml
	for i in $(seq "$packages"); do
		mkdir -p "root/$i/usr/share/p$i/small"
		for k in $(seq "$mib"); do
			content "$i" "$k" >"root/$i/usr/share/p$i/file$k"
		done
		for k in $(seq 40); do
			seq "$k" $((k * 20)) >"root/$i/usr/share/p$i/small/$k"
		done
		package "p$i" "root/$i"
		printf -- '  - p%d\n' "$i" >>image.yaml
	done
	printf 'archs: [x86_64]\n' >>image.yaml
	index
}

# now: nanoseconds
now() { date +%s%N; }

# median of the numbers in a file
median() { sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"; }

# measure NAME PREPARE: five builds, each after PREPARE
measure() {
	local name=$1 prepare=$2 i start
	: >"times"
	: >phases
	: >rss
	for i in 1 2 3 4 5; do
		$prepare "$i"
		start=$(now)
		"$apko" build image.yaml bench:1 out/ --cache-dir cache --sbom=false \
			--log-level debug 2>log
		echo $((($(now) - start) / 1000)) >>"times"
		sed -n 's/.*phase \(.*\): \([0-9.]*\) ms.*/\1|\2/p' log >>phases
	done
	awk -v name="$name" -v us="$(median times)" -v u="$u" 'BEGIN {
		printf "%-12s %8.1f ms %6.2f u   ", name, us / 1000, us / u }'
	cut -d'|' -f1 phases | awk '!seen[$0]++' | while read -r phase; do
		grep "^$phase|" phases | cut -d'|' -f2 >one
		awk -v p="$phase" -v ms="$(median one)" 'BEGIN { printf "  %s %.1f", p, ms }'
	done
	echo
}

empty() { rm -rf cache out; }
nothing() { :; }
change() {
	echo "changed $1" >"root/1/usr/share/p1/changed"
	package p1 root/1
	index
}

make_work
empty
"$apko" build-minirootfs image.yaml layer.tar --build-arch x86_64 --cache-dir cache 2>/dev/null
for i in 1 2 3 4 5; do
	start=$(now)
	openssl dgst -sha256 layer.tar >/dev/null
	echo $((($(now) - start) / 1000)) >>u
done
u=$(median u)
printf '%d packages, %d MB as .apk, %d MB as a layer; u = %d ms\n' "$packages" \
	"$(($(cat repo/x86_64/*.apk | wc -c) / 1000000))" "$(($(stat -c %s layer.tar) / 1000000))" \
	"$((u / 1000))"
rm layer.tar
measure 'empty cache' empty
measure 'one changed' change
measure unchanged nothing
if [ -x /usr/bin/time ]; then
	empty
	/usr/bin/time -f 'peak memory of the first build: %M KiB' "$apko" build image.yaml bench:1 out/ \
		--cache-dir cache --sbom=false 2>&1 | tail -n1
fi
