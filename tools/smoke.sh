#!/usr/bin/env bash
# Starts the service as `make run` does, runs every command that it prints, as printed, and looks at what comes back.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$(mktemp)
bin/portin serve --sandbox >"$out" 2>"$out.log" &
portin=$!
finish() {
	kill "$portin" 2>/dev/null || true
	rm -f "$out" "$out.log"
}
trap finish EXIT

for _ in $(seq 100); do
	grep -q '_sandbox/requests' "$out" && break
	kill -0 "$portin" || { cat "$out.log" >&2; exit 1; }
	sleep 0.1
done
cat "$out"

# answer PATTERN COMMAND... runs the printed command that begins so, and wants the pattern in its answer. A command that goes
# on until it is stopped is stopped after a few seconds.
answer() {
	local pattern=$1 begins=$2 command got ended=0
	command=$(grep -F -- "$begins" "$out" | head -n 1)
	[ -n "$command" ] || { echo "smoke: nothing printed begins with: $begins" >&2; exit 1; }
	got=$(timeout "${within:-600}" bash -c "$command") || ended=$?
	[ "$ended" = 0 ] || { [ -n "${within:-}" ] && [ "$ended" = 124 ]; } || { echo "smoke: this failed: $command" >&2; exit 1; }
	printf '%s\n' "$got" | tr -d ' \n' | grep -q -- "$pattern" || {
		printf 'smoke: no %s in the answer to: %s\n%s\n' "$pattern" "$command" "$got" >&2
		exit 1
	}
	echo "smoke: $begins … answered with $pattern"
}

answer '"state":"ORDER_STATE_ACCEPTED".*"replayed":false' "curl -sS 'http://127.0.0.1:8080/v1/port-ins'"
answer '"replayed":true' 'go tool -modfile=tools/buf/go.mod buf curl'
within=3 answer '"ticketId":"SANDBOX-' "curl -sSN 'http://127.0.0.1:8080/v1/port-ins:watch'"
answer '/rest.svc/v2/NumberPorts/Inbound/DIDs' "curl -sS 'http://127.0.0.1:8081/_sandbox/requests'"

# A client in another language: CI has what it needs, other machines may not.
if python3=$(PATH=/usr/bin command -v python3) && "$python3" -c 'import grpc' 2>/dev/null && command -v grpc_python_plugin protoc >/dev/null; then
	make -s proto-deps
	go tool -modfile=tools/buf/go.mod buf generate --template tools/clients/python.buf.gen.yaml
	got=$(PYTHONPATH=bin/clients/python "$python3" tools/clients/first_order.py)
	printf '%s\n' "$got"
	grep -q '"state": "ORDER_STATE_ACCEPTED", "replayed": true' <<<"$got"
	grep -q '"code": "INVALID_ARGUMENT"' <<<"$got"
elif [ -n "${CI:-}" ]; then
	echo "smoke: python3-grpcio or protoc is missing, and CI skips nothing" >&2
	exit 1
else
	echo "smoke: left out the client in Python: python3-grpcio or protoc is missing"
fi

kill -TERM "$portin"
wait "$portin" || { echo "smoke: the service ended with $?" >&2; cat "$out.log" >&2; exit 1; }
echo "smoke: the service stopped when it was asked to"
