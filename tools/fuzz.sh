#!/bin/sh
# Runs every fuzz target of the module for a while, one after the other: tools/fuzz.sh TIME
# The targets are found, not listed: a new one takes part by being there. Go fuzzes one target of one package at a time.
set -eu

time=$1
listing=$(go test -list '^Fuzz' ./...) || { printf '%s\n' "$listing"; exit 1; }
# "go test -list" prints a package's targets first and "ok PACKAGE" after them.
targets=$(printf '%s\n' "$listing" | awk '/^Fuzz/ { names[n++] = $1 } $1 == "ok" { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }')
if [ -z "$targets" ]; then
	echo "fuzz: no fuzz target in this module"
	exit 0
fi
printf '%s\n' "$targets" | while read -r package name; do
	echo "fuzz: $package $name for $time"
	go test -run='^$' -fuzz="^$name\$" -fuzztime="$time" "$package" </dev/null
done
