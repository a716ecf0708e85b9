#!/bin/sh
# Makes the namespace and registers the search attributes, then waits until the
# server shows them: a workflow that writes an unknown one gets stuck. Running
# it again changes nothing.
set -eu

ns=$TEMPORAL_NAMESPACE
keywords='SluiceSource SluiceKind SluicePhase SluiceState SluiceStartedBy'
ints='SluiceRows SluiceRejected SluiceParked'

# try runs a command until it succeeds, for a minute.
try() {
	n=0
	until "$@"; do
		n=$((n + 1))
		if [ "$n" -ge 30 ]; then
			echo "given up after $n attempts: $*" >&2
			exit 1
		fi
		sleep 2
	done
}

namespace() {
	temporal operator namespace describe --namespace "$ns" >/dev/null 2>&1 ||
		temporal operator namespace create --namespace "$ns" --retention 720h
}

# registered reports whether every search attribute is shown.
registered() {
	list=$(temporal operator search-attribute list --namespace "$ns") || return 1
	for name in $keywords $ints; do
		echo "$list" | grep -qw "$name" || return 1
	done
}

# One call for all of them: the server takes about one such call a second.
attributes() {
	registered && return
	set --
	for name in $keywords; do set -- "$@" --name "$name" --type Keyword; done
	for name in $ints; do set -- "$@" --name "$name" --type Int; done
	temporal operator search-attribute create --namespace "$ns" "$@" || true
	registered
}

try temporal operator cluster health
try namespace
try attributes
# The server's other parts look for new namespaces every two seconds.
sleep 5
