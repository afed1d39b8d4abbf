#!/usr/bin/env bash
# Makes what a release is in dist/: static binaries, the list of parts of each, the contract in every form that others
# generate from, and the checksums of all. The same commit makes the same bytes, on any machine with the same Go.
#
#   tools/release.sh [VERSION]     the version is the tag of the commit when it is left out
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C TZ=UTC

version=${1:-$(git describe --tags --always --dirty)}
date=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/arm64}
export GOFLAGS="${GOFLAGS:-} -buildvcs=false" CGO_ENABLED=0

rm -rf dist
mkdir -p dist/tree

# pack NAME FOLDER makes a tar of a folder that depends on nothing but what is in it.
pack() {
	tar --sort=name --mtime="@$date" --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' -C "$2" -cf - . | gzip -9 -n >"dist/$1"
}

# Built for this machine once: under another GOARCH, go tool would build it for that one.
go build -modfile=tools/release/go.mod -o bin/cyclonedx-gomod github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

for platform in $platforms; do
	os=${platform%/*} arch=${platform#*/}
	name=portin_${version}_${os}_${arch}
	folder=dist/tree/$name
	mkdir -p "$folder"
	GOOS=$os GOARCH=$arch go build -trimpath -ldflags "-s -w -X main.version=$version" -o "$folder/portin" ./cmd/portin
	cp README.md CHANGELOG.md docs/portin.example.yaml tools/deploy/systemd/portin.service "$folder"
	pack "$name.tar.gz" "$folder"
	# The parts of the program, module by module, in CycloneDX.
	GOOS=$os GOARCH=$arch bin/cyclonedx-gomod app -json -noserial -notimestamp -std -main cmd/portin -output "dist/$name.sbom.json" .
done

# The contract: the .proto files, everything in one descriptor set, the OpenAPI document, and what clients may try again.
make -s proto-deps
go tool -modfile=tools/buf/go.mod buf export proto -o dist/tree/contract
pack "portin_${version}_proto.tar.gz" dist/tree/contract
go tool -modfile=tools/buf/go.mod buf build proto -o "dist/portin_${version}.binpb"
cp gen/openapi/portin.openapi.json "dist/portin_${version}.openapi.json"
cp tools/clients/service_config.json "dist/portin_${version}.service_config.json"

rm -rf dist/tree
(cd dist && sha256sum -- * >SHA256SUMS)
cat dist/SHA256SUMS
