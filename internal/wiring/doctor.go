package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"sluice/internal/crm"
	"sluice/internal/dedupe"
	"sluice/internal/embedded"
	"sluice/internal/stage"
)

// A Finding is what Doctor has to say about one thing.
type Finding struct {
	Part  string `json:"part"`
	State string `json:"state"` // "ok", "warning" or "error"
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"` // the command or setting that mends it
}

// Doctor looks at every part without starting any, and says what it finds. It
// writes nothing but one small object to the stage, which it removes.
func Doctor(ctx context.Context, c Config) []Finding {
	o, err := temporal(slog.New(slog.DiscardHandler))
	if err != nil {
		return []Finding{{"temporal", "error", err.Error(), "mend the TEMPORAL_ variables"}}
	}
	p := c.parts(o)
	var found []Finding
	found = append(found, doctorDir(c, p)...)
	found = append(found, doctorTemporal(ctx, o, p)...)
	found = append(found, doctorStore(ctx, c, p)...)
	found = append(found, doctorRedis(ctx, c, p)...)
	return append(found, doctorStage(ctx, c)...)
}

func doctorDir(c Config, p parts) []Finding {
	if !p.any() {
		return nil
	}
	f, err := os.CreateTemp(existing(c.DataDir), ".doctor-*")
	if err != nil {
		return []Finding{{"data directory", "error", err.Error(), "set SLUICE_DATA_DIR to a directory you can write"}}
	}
	f.Close()
	os.Remove(f.Name())
	return []Finding{{"data directory", "ok", c.DataDir + " can be written", ""}}
}

func doctorTemporal(ctx context.Context, o client.Options, p parts) []Finding {
	if p.temporal {
		path, err := embedded.FindTemporal()
		if err != nil {
			return []Finding{{"temporal", "warning", err.Error(), "go run ./internal/embedded/prebuild"}}
		}
		return []Finding{{"temporal", "ok", "embedded: " + path, ""}}
	}
	t, err := dial(ctx, o)
	if err != nil {
		return []Finding{{"temporal", "error", err.Error(), "check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE"}}
	}
	defer t.Close()
	found := []Finding{{"temporal", "ok", fmt.Sprintf("%s, namespace %s", o.HostPort, o.Namespace), ""}}
	if missing, err := unregistered(ctx, t, o.Namespace); err != nil || len(missing) > 0 {
		found = append(found, Finding{"search attributes", "warning", fmt.Sprintf("%d are not registered", len(missing)), "start a worker: it registers them"})
	}
	d, err := t.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: o.Namespace})
	if err == nil {
		found = append(found, retention(d.GetConfig().GetWorkflowExecutionRetentionTtl(), o.Namespace))
	}
	return found
}

func retention(ttl *durationpb.Duration, namespace string) Finding {
	days := ttl.AsDuration().Hours() / 24
	if days < 7 {
		return Finding{"retention", "warning", fmt.Sprintf("histories are kept for %.0f days", days),
			"temporal operator namespace update --retention 720h " + namespace}
	}
	return Finding{"retention", "ok", fmt.Sprintf("histories are kept for %.0f days", days), ""}
}

func doctorStore(ctx context.Context, c Config, p parts) []Finding {
	s, err := OpenStore(ctx, c)
	if errors.Is(err, crm.ErrNotFound) {
		return []Finding{{"database", "ok", "embedded: made with the first import", ""}}
	}
	if err != nil {
		return []Finding{{"database", "error", err.Error(), "check DATABASE_URL"}}
	}
	defer s.Close()
	lines, err := s.Check(ctx)
	if err != nil {
		return []Finding{{"database", "error", err.Error(), "check DATABASE_URL and the role's rights"}}
	}
	return []Finding{{"database", "ok", strings.Join(lines, "; "), ""}}
}

func doctorRedis(ctx context.Context, c Config, p parts) []Finding {
	if p.redis {
		return []Finding{{"redis", "ok", "embedded: good for some million rows at a time", ""}}
	}
	x, err := dedupe.Open(ctx, c.RedisURL)
	if err != nil {
		return []Finding{{"redis", "error", err.Error(), "check REDIS_URL"}}
	}
	defer x.Close()
	lines, err := x.Check(ctx)
	if err != nil {
		return []Finding{{"redis", "error", err.Error(), "check REDIS_URL"}}
	}
	for _, l := range lines {
		if strings.Contains(l, "policy") && !strings.Contains(l, "noeviction") {
			return []Finding{{"redis", "warning", strings.Join(lines, "; "), "redis-cli config set maxmemory-policy noeviction"}}
		}
	}
	return []Finding{{"redis", "ok", strings.Join(lines, "; "), ""}}
}

func doctorStage(ctx context.Context, c Config) []Finding {
	if c.StageURL == "" {
		return nil // its directory is looked at above
	}
	g, err := stage.Open(ctx, c.StageURL)
	if err != nil {
		return []Finding{{"stage", "error", err.Error(), "check STAGE_URL"}}
	}
	defer g.Close()
	o, err := g.Put(ctx, "doctor/probe", strings.NewReader("probe"))
	if err == nil {
		err = g.Delete(ctx, "doctor")
	}
	if err != nil {
		return []Finding{{"stage", "error", err.Error(), "check STAGE_URL and its rights"}}
	}
	return []Finding{{"stage", "ok", fmt.Sprintf("writes and reads %d bytes", o.Size), ""}}
}

// existing returns the nearest directory above path that is there.
func existing(path string) string {
	for {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return path
		}
		parent := filepath.Dir(path)
		if parent == path {
			return path
		}
		path = parent
	}
}
