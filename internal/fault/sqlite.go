//go:build linux

package main

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

var sqliteFaults = []*fault{{
	id: "F36", name: "the edition without servers is killed and locked out",
	how: "SIGKILL of the command, which is server and worker in one, at two seeded moments, and `imports watch` after it; " +
		"then another writer holds SQLite's lock for eight seconds",
	holds: "I1 I2 I3 I4 I9",
	seen:  "`imports watch` says which import goes on",
	setup: func(_ context.Context, s *scene) error {
		s.keepIn("data")
		return nil
	},
	play: func(ctx context.Context, s *scene) error {
		args, at := []string{"import", s.file, "--source", news, "--batch-rows", "50", "--heartbeat", "2s", "--no-progress"}, 0
		for range 2 {
			at += 2 + s.random.IntN(12)
			s.say("kill after batch %d", at)
			cmd, err := s.own(args...)
			if err != nil {
				return err
			}
			err = s.in(ctx, at)
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if err != nil {
				return err
			}
			args = []string{"imports", "watch", news}
		}
		cmd, err := s.own(args...)
		if err != nil {
			return err
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
		if err := s.in(ctx, at+1+s.random.IntN(5)); err != nil {
			return err
		}
		if err := s.lockOut(ctx); err != nil {
			return err
		}
		return s.end(ctx)
	},
}}

// own starts a command that brings everything with it. The caller waits for it.
func (s *scene) own(args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(s.program("starter"), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, &s.log, &s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, cmd.Start()
}

// lockOut holds the lock that a writer needs.
func (s *scene) lockOut(ctx context.Context) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	s.pass(ctx, 8*time.Second, 8*time.Second)
	_, err = conn.ExecContext(ctx, "ROLLBACK")
	return err
}
