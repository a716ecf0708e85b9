package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	schema "go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	loopback    = "127.0.0.1"
	clusterName = "active"
)

// dynamic holds the settings in which a server on one machine departs from a
// cluster's.
var dynamic = dynamicconfig.StaticClient{
	// A search attribute can be used the moment it has been added. Each read
	// then asks the database, hence the room given below.
	dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
	dynamicconfig.FrontendPersistenceMaxQPS.Key():               10_000,
	dynamicconfig.HistoryPersistenceMaxQPS.Key():                45_000,

	// The default of ten list calls a second is soon used up by one open UI and
	// one person watching.
	dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,

	// One large import must not starve a small one on the same task queue.
	dynamicconfig.MatchingEnableFairness.Key(): true,

	// Commands to an import are Updates. On by default in this version; said
	// here because the product cannot do without.
	dynamicconfig.FrontendEnableUpdateWorkflowExecution.Key():              true,
	dynamicconfig.FrontendEnableUpdateWorkflowExecutionAsyncAccepted.Key(): true,

	// The emergency brake in the UI.
	dynamicconfig.WorkflowPauseEnabled.Key(): true,
}

// newServer prepares the database and a server on it, not started, and returns
// the address its frontend will listen on.
func newServer(s settings, logger log.Logger) (temporal.Server, string, error) {
	ports, err := freePorts(4)
	if err != nil {
		return nil, "", err
	}
	if s.port != 0 {
		ports[0] = s.port
	}
	address := net.JoinHostPort(loopback, strconv.Itoa(ports[0]))

	db := database(s.db)
	if err := prepare(db, s); err != nil {
		return nil, "", err
	}
	cfg := configuration(db, address)
	hosts := map[primitives.ServiceName]static.Hosts{}
	for i, name := range []primitives.ServiceName{
		primitives.FrontendService, primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
	} {
		cfg.Services[string(name)] = config.Service{RPC: config.RPC{GRPCPort: ports[i], BindOnIP: loopback}}
		hosts[name] = static.SingleLocalHost(net.JoinHostPort(loopback, strconv.Itoa(ports[i])))
	}
	srv, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		// Known hosts need no gossip: the start is quicker, four ports fewer are
		// taken, and nobody waits for the members a killed server left behind.
		temporal.WithStaticHosts(hosts),
		temporal.WithDynamicConfigClient(dynamic),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithLogger(logger),
	)
	if err != nil {
		return nil, "", fmt.Errorf("configure server: %w", err)
	}
	return srv, address, nil
}

// configuration describes a cluster of one process and one shard.
func configuration(db *config.SQL, address string) *config.Config {
	return &config.Config{
		Services: map[string]config.Service{},
		Persistence: config.Persistence{
			DefaultStore:     sqlite.PluginName,
			VisibilityStore:  sqlite.PluginName,
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{sqlite.PluginName: {SQL: db}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: address},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
	}
}

// database says how SQLite is opened: for a file as a write-ahead log, synced
// at checkpoints, which is about four times as fast as the defaults. A killed
// process loses nothing; a power cut may take the last moments of a history,
// and the steps repeated for it find their work in the ledger.
func database(file string) *config.SQL {
	if file == "" {
		return &config.SQL{
			PluginName:        sqlite.PluginName,
			DatabaseName:      "sluice",
			ConnectAttributes: map[string]string{"mode": "memory", "cache": "shared"},
		}
	}
	return &config.SQL{
		PluginName: sqlite.PluginName,
		// The name becomes part of a file: URL as it stands.
		DatabaseName: (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath(),
		ConnectAttributes: map[string]string{
			"mode": "rwc", "journal_mode": "wal", "synchronous": "1", "busy_timeout": "10000",
		},
	}
}

// prepare makes the tables in a new database and the namespace in any.
//
// A mark beside the file stands while the tables are made, so that a server
// killed in the middle begins again instead of finding half a schema. Nothing
// of worth is in the file before the mark is gone.
func prepare(db *config.SQL, s settings) error {
	mark := s.db + "-unfinished"
	_, unfinished := os.Stat(mark)
	_, missing := os.Stat(s.db)
	if s.db != "" && (unfinished == nil || errors.Is(missing, fs.ErrNotExist)) {
		if err := os.WriteFile(mark, nil, 0o600); err != nil {
			return fmt.Errorf("create database: %w", err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(s.db + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("create database: %w", err)
			}
		}
		if err := schema.SetupSchema(db); err != nil {
			return fmt.Errorf("create database: %w", err)
		}
		if err := os.Remove(mark); err != nil {
			return fmt.Errorf("create database: %w", err)
		}
	}
	ns, err := schema.NewNamespaceConfig(clusterName, s.namespace, false, nil)
	if err != nil {
		return fmt.Errorf("create namespace %s: %w", s.namespace, err)
	}
	ns.Detail.Config.Retention = durationpb.New(s.retention)
	if err := schema.CreateNamespaces(db, ns); err != nil {
		return fmt.Errorf("create namespace %s: %w", s.namespace, err)
	}
	return nil
}

// settle waits until the frontend answers for the namespace, and gives a
// namespace from an earlier start the retention asked for now.
func settle(ctx context.Context, address string, s settings) error {
	c, err := client.DialContext(ctx, client.Options{
		HostPort: address, Namespace: s.namespace, Logger: sdklog.NewStructuredLogger(quiet),
	})
	if err != nil {
		return fmt.Errorf("reach frontend %s: %w", address, err)
	}
	defer c.Close()
	got, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: s.namespace})
	if err != nil {
		return fmt.Errorf("describe namespace %s: %w", s.namespace, err)
	}
	if got.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() == s.retention {
		return nil
	}
	_, err = c.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: s.namespace,
		Config:    &namespace.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(s.retention)},
	})
	if err != nil {
		return fmt.Errorf("set retention of namespace %s: %w", s.namespace, err)
	}
	return nil
}

// freePorts returns n different ports nobody listens on. They are held together
// while they are chosen; another process may still take one before it is used.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
		if err != nil {
			return nil, fmt.Errorf("choose port: %w", err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
