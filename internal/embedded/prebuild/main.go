// Command prebuild builds the Temporal server into the user's cache ahead of
// its first use and prints where it is. CI runs it before the tests, which do
// not build anything; anybody may run it to have the wait over with:
//
//	go run ./internal/embedded/prebuild
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"sluice/internal/embedded"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	path, err := embedded.BuildTemporal(ctx, func(line string) { fmt.Fprintln(os.Stderr, line) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "prebuild:", err)
		os.Exit(1)
	}
	fmt.Println(path)
}
