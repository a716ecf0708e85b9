package main

import (
	"strings"
	"testing"
)

func TestSettingThatCannotWorkIsOneLineAndExitCode2(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--pprof-address", "nowhere"},
		{"--no-such-flag"},
	} {
		err := run(t.Context(), args)
		if err == nil || code(err) != 2 || strings.Contains(err.Error(), "\n") {
			t.Errorf("worker %v: %v, exit code %d; want one line and 2", args, err, code(err))
		}
	}
}
