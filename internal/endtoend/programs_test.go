package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"sluice/internal/servertest"
)

func TestMain(m *testing.M) {
	servertest.Main(m, func() {
		if built.dir != "" {
			os.RemoveAll(built.dir)
		}
	})
}

// built are the programs under test, made once: linking them takes longer than
// most tests.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// programs returns the directory that holds worker and starter.
func programs(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "endtoend-*"); built.err != nil {
			return
		}
		out, err := exec.Command("go", "build", "-o", built.dir+"/", "sluice/worker", "sluice/starter").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.dir
}
