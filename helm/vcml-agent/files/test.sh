#!/bin/sh
# `helm test`: executes a program with a unique name, and waits until the agent of this node has
# written it to its journal with this pod's name. If records are exported, it then waits until the
# receiver has acknowledged it.
set -eu

journal=/var/lib/vcml-agent/journal
program=/tmp/vcml-test-$(cat /proc/sys/kernel/random/uuid)
deadline=$(($(date +%s) + TIMEOUT_SECONDS))

fail() {
	echo "FAILED on node $NODE_NAME: $1" >&2
	exit 1
}

# Ends the test at the deadline; otherwise waits a moment.
again() {
	[ "$(date +%s)" -lt "$deadline" ] || fail "$1"
	sleep 1
}

# The link is to vcml-agent, because a program such as busybox does not run under every name.
ln -s "$(command -v vcml-agent)" "$program"
echo "executing $program"

record() {
	vcml-agent cat --journal-dir "$journal" --since 10m --print jsonl |
		grep -F "\"object\":\"$program\""
}
# Repeats the exec, because the agent of this node may still be starting.
until
	"$program" --version >/dev/null
	found=$(record)
do
	again "the journal $journal has no such record; see the log of the agent on this node"
done
echo "$found"
case $found in
*"\"k8s.pod.uid\":\"$POD_UID\""*) echo "the journal has it, with this pod's uid" ;;
*) fail "the record does not name this pod: is the node's cgroup file system mounted?" ;;
esac
case $found in
*"\"k8s.pod.name\":\"$POD_NAME\""*) echo "and this pod's name" ;;
*) fail "the record does not have this pod's name: see runtime.type and config.metadata" ;;
esac

if [ "$EXPORTS" != true ]; then
	echo "PASSED; nothing is exported: config.exportEndpoint is not set"
	exit 0
fi

# Compares the position that the receiver has acknowledged with the present end of the journal.
number() {
	sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$journal/export-cursor.json"
}
open_segment() {
	find "$journal" -name '*.jsonl' | grep -E '/[0-9]{20}\.jsonl$' | sort | tail -n 1 | grep .
}
until last=$(open_segment); do
	again "no segment of the journal is open"
done
segment=$(basename "$last" .jsonl | sed 's/^0*\(.\)/\1/')
offset=$(wc -c <"$last")
exported() {
	[ -e "$journal/export-cursor.json" ] || return 1
	[ "$(number segment)" -gt "$segment" ] && return 0
	[ "$(number segment)" -eq "$segment" ] && [ "$(number offset)" -ge "$offset" ]
}
until exported; do
	again "the receiver has not acknowledged the record; see the log of the agent on this node"
done
echo "PASSED; the receiver has acknowledged it"
