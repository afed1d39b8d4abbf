#!/bin/sh
# Refuses a package whose own tests cover less than a share of its statements: tools/cover.sh PERCENT PACKAGE...
# Every package is measured by its own tests alone: that a far-away test happens to pass through a line proves little.
set -eu

floor=$1
shift
profile=$(mktemp)
trap 'rm -f "$profile"' EXIT
failed=0
for package in "$@"; do
	if ! output=$(go test -count=1 -covermode=atomic -coverprofile="$profile" "$package" 2>&1); then
		printf '%s\n' "$output"
		echo "cover: $package: no measurement, its tests do not pass or it is not there"
		failed=1
		continue
	fi
	# A package without a single statement has no last line to read.
	share=$(go tool cover -func="$profile" | awk 'END { sub("%", "", $NF); print ($1 == "total:") ? $NF : 0 }')
	if awk -v have="$share" -v want="$floor" 'BEGIN { exit !(have + 0 < want + 0) }'; then
		echo "cover: $package: $share% of statements, below $floor%; least covered:"
		go tool cover -func="$profile" | awk '$1 != "total:" && $NF != "100.0%"' | sort -k3 -n | head -n 10
		failed=1
	else
		echo "cover: $package: $share% of statements"
	fi
done
exit "$failed"
