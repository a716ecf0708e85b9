package internal_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// composed loads docker-compose.yml as docker compose does, with the settings
// given and no others.
func composed(t *testing.T, env ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../docker-compose.yml"}, cli.WithEnv(env), cli.WithProfiles([]string{"tools"}))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatalf("load docker-compose.yml: %v", err)
	}
	return project
}

func TestComposeStartsInOrder(t *testing.T) {
	t.Parallel()
	const healthy, completed, started = types.ServiceConditionHealthy, types.ServiceConditionCompletedSuccessfully, types.ServiceConditionStarted
	want := map[string]map[string]string{
		"postgres":        {},
		"redis":           {},
		"temporal-schema": {"postgres": healthy},
		"temporal":        {"temporal-schema": completed},
		"temporal-init":   {"temporal": healthy},
		"temporal-ui":     {"temporal": healthy},
		"worker":          {"postgres": healthy, "redis": healthy, "temporal-init": completed},
		"starter":         {"worker": started},
	}
	project := composed(t)
	for name, service := range project.Services {
		if _, known := want[name]; !known {
			t.Errorf("service %s: say in this test what it waits for", name)
		}
		for on, dependency := range service.DependsOn {
			if dependency.Condition != want[name][on] {
				t.Errorf("service %s waits for %s to be %q, want %q", name, on, dependency.Condition, want[name][on])
			}
			if dependency.Condition == healthy && project.Services[on].HealthCheck == nil {
				t.Errorf("service %s waits for %s to be healthy, which has no health check", name, on)
			}
		}
		if len(service.DependsOn) != len(want[name]) {
			t.Errorf("service %s waits for %v, want %v", name, service.DependsOn, want[name])
		}
	}
	if len(project.Services) != len(want) {
		t.Errorf("there are %d services, want %d", len(project.Services), len(want))
	}
}

func TestComposePinsImages(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`^[a-z0-9/._-]+:[0-9][0-9A-Za-z._-]*$`)
	for name, service := range composed(t).Services {
		if service.Build == nil && !pinned.MatchString(service.Image) {
			t.Errorf("service %s: image %q is not pinned; give it a version with a default", name, service.Image)
		}
	}
	from := regexp.MustCompile(`(?m)^(?:ARG [A-Z]+_VERSION=|FROM [a-z]+:)(\S*)`)
	for _, m := range from.FindAllStringSubmatch(read(t, "../Dockerfile"), -1) {
		if !strings.HasPrefix(m[1], "${") && !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(m[1]) {
			t.Errorf("Dockerfile: %q is not pinned to a version", m[0])
		}
	}
}

func TestComposeKeepsToThisMachine(t *testing.T) {
	t.Parallel()
	for name, service := range composed(t).Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("service %s publishes port %s on %q; write 127.0.0.1 in front", name, port.Published, port.HostIP)
			}
		}
	}
}

func TestComposeRunsUnprivileged(t *testing.T) {
	t.Parallel()
	project := composed(t)
	for _, name := range []string{"postgres", "redis", "worker", "starter"} {
		if user := project.Services[name].User; user == "" || user == "root" || strings.HasPrefix(user, "0") {
			t.Errorf("service %s runs as %q", name, user)
		}
	}
	for _, line := range []string{"USER 10001:10001", "adduser -D -u 10001", "ca-certificates tzdata", "CGO_ENABLED=0"} {
		if !strings.Contains(read(t, "../Dockerfile"), line) {
			t.Errorf("Dockerfile: %q is missing", line)
		}
	}
	if user := project.Services["worker"].User; user != "10001:10001" {
		t.Errorf("worker runs as %q, and the image's files belong to 10001:10001", user)
	}
}

// TestComposeSetsWhatIsRead compares the variables of our services with those
// that the code names.
func TestComposeSetsWhatIsRead(t *testing.T) {
	t.Parallel()
	// Temporal's own library reads these two.
	known := []string{"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}
	for _, m := range regexp.MustCompile(`env:"([A-Z_]+)"`).FindAllStringSubmatch(read(t, "wiring/config.go"), -1) {
		known = append(known, m[1])
	}
	project := composed(t, "SMTP_URL=smtp://mail.example.com", "SLUICE_MAIL_TO=imports@example.com")
	for _, name := range []string{"worker", "starter"} {
		env := project.Services[name].Environment
		for variable, value := range env {
			if !slices.Contains(known, variable) {
				t.Errorf("service %s sets %s, which nothing reads", name, variable)
			}
			if value == nil || *value == "" {
				t.Errorf("service %s sets %s to nothing", name, variable)
			}
		}
		for _, needed := range []string{"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "DATABASE_URL", "REDIS_URL", "STAGE_URL", "SMTP_URL", "SLUICE_MAIL_TO"} {
			if _, ok := env[needed]; !ok {
				t.Errorf("service %s does not set %s", name, needed)
			}
		}
	}
	if env := composed(t).Services["worker"].Environment; env["SMTP_URL"] != nil {
		t.Errorf("worker gets SMTP_URL %q though none is set", *env["SMTP_URL"])
	}
}

// TestComposeSharesTheStage follows the stage's URL to a volume that the
// starter and the workers both see.
func TestComposeSharesTheStage(t *testing.T) {
	t.Parallel()
	project := composed(t)
	for _, name := range []string{"worker", "starter"} {
		service := project.Services[name]
		url := service.Environment["STAGE_URL"]
		shared := url != nil && slices.ContainsFunc(service.Volumes, func(v types.ServiceVolumeConfig) bool {
			return v.Source == "stage" && "file://"+v.Target == *url && !v.ReadOnly
		})
		if !shared {
			t.Errorf("service %s: STAGE_URL does not point into the volume stage", name)
		}
	}
	if grace := project.Services["worker"].StopGracePeriod; grace == nil || grace.String() != "45s" {
		t.Errorf("worker is killed after %v; it may take 30 s to finish what it has in hand", grace)
	}
}

func TestComposeRedisRefusesRatherThanForgets(t *testing.T) {
	t.Parallel()
	if command := strings.Join(composed(t).Services["redis"].Command, " "); !strings.Contains(command, "--maxmemory-policy noeviction") {
		t.Errorf("redis runs as %q, without noeviction", command)
	}
}

// TestComposeInitKnowsTheSearchAttributes compares what the script registers
// with what the workflows write.
func TestComposeInitKnowsTheSearchAttributes(t *testing.T) {
	t.Parallel()
	script := read(t, "../deploy/temporal/namespace.sh")
	words := func(name string) []string {
		m := regexp.MustCompile(name + `='([^']*)'`).FindStringSubmatch(script)
		if m == nil {
			t.Fatalf("namespace.sh: %s is missing", name)
		}
		return strings.Fields(m[1])
	}
	var keywords, ints []string
	key := regexp.MustCompile(`NewSearchAttributeKey(\w+)\("(\w+)"\)`)
	for _, m := range key.FindAllStringSubmatch(read(t, "../workflows/names.go"), -1) {
		if m[1] == "Int64" {
			ints = append(ints, m[2])
		} else {
			keywords = append(keywords, m[2])
		}
	}
	if got := words("keywords"); !slices.Equal(got, keywords) {
		t.Errorf("namespace.sh registers the keywords %v, want %v", got, keywords)
	}
	if got := words("ints"); !slices.Equal(got, ints) {
		t.Errorf("namespace.sh registers the numbers %v, want %v", got, ints)
	}
	for _, want := range []string{"--retention 720h", "TEMPORAL_NAMESPACE"} {
		if !strings.Contains(script, want) {
			t.Errorf("namespace.sh: %q is missing", want)
		}
	}
}

// TestComposeExampleSettingsAreTheDefaults loads the file with .env.example and
// without it.
func TestComposeExampleSettingsAreTheDefaults(t *testing.T) {
	t.Parallel()
	var env []string
	for line := range strings.Lines(read(t, "../.env.example")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			env = append(env, line)
			if name, _, _ := strings.Cut(line, "="); !strings.Contains(read(t, "../docker-compose.yml"), "${"+name+":-") {
				t.Errorf(".env.example sets %s, which docker-compose.yml does not use", name)
			}
		}
	}
	got, err := composed(t, env...).MarshalYAML()
	if err != nil {
		t.Fatal(err)
	}
	want, err := composed(t).MarshalYAML()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("docker-compose.yml with .env.example is not what it is without: the values there must be the defaults")
	}
}
