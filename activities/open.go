package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/mapping"
)

// Open enters the import in the store, under the ID that came with the
// request, and keeps the mapping that holds for it: the request's, else, for a
// retry, that of the import it retries, else the source's. When the same file
// was imported before in the same way, it says by which import.
//
// It leaves the mapping in the stage. Running it twice finds the import that
// is there. A mapping that cannot be read ends the import as invalid.
func (a *Activities) Open(ctx context.Context, r crm.Request) (crm.Opened, error) {
	text, err := a.effectiveMapping(ctx, r)
	if err != nil {
		return crm.Opened{}, err
	}
	if text != "" {
		if _, err := mapping.ParseSpec([]byte(text)); err != nil {
			return crm.Opened{}, err
		}
	}
	// Staged empty too: a source's mapping saved later is not this import's.
	if _, err := a.Stage.Put(ctx, crm.MappingKey(r.ID), strings.NewReader(text)); err != nil {
		return crm.Opened{}, err
	}
	return a.Store.OpenImport(ctx, r, mappingSum(text))
}

// Recognize enters in the store which files the import has, once those that lay
// elsewhere are in the stage, and says by which import the same were brought in
// before, if they were. Running it twice finds the same.
func (a *Activities) Recognize(ctx context.Context, r crm.Request) (crm.Opened, error) {
	in, err := a.Stage.OpenKey(ctx, crm.MappingKey(r.ID))
	mapping, err := text(in, err)
	if err != nil {
		return crm.Opened{}, err
	}
	return a.Store.Recognize(ctx, r, mappingSum(mapping))
}

// mappingSum stands for the text of a mapping; "" for none.
func mappingSum(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (a *Activities) effectiveMapping(ctx context.Context, r crm.Request) (string, error) {
	if !r.Mapping.IsZero() {
		in, err := a.Stage.Open(ctx, r.Mapping, 0)
		return text(in, err)
	}
	if r.Parent != "" {
		// Not the source's, which may have been saved since: a retry without
		// a word about the mapping means the same once more.
		in, err := a.Stage.OpenKey(ctx, crm.MappingKey(r.Parent))
		return text(in, err)
	}
	source, err := a.Store.Source(ctx, r.Source)
	return source.Mapping, err
}

// text reads a mapping whole.
func text(r io.ReadCloser, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxMapping+1))
	if err == nil && len(b) > maxMapping {
		err = fmt.Errorf("mapping: %w: over %d bytes", crm.ErrInvalid, maxMapping)
	}
	return string(b), err
}

const maxMapping = 1 << 20

// The places of an import's objects in the stage. Batches and rewritten files
// carry the attempt in their keys as well, so that no attempt touches what
// another one staged.
func verdictKey(id string, batch int) string {
	return fmt.Sprintf("imports/%s/verdicts/%d.zst", id, batch)
}
func batchKey(id, attempt string, n int) string {
	return fmt.Sprintf("imports/%s/batches/%d/%s", id, n, attempt)
}
func fileKey(id, attempt string, n int, made string) string {
	return fmt.Sprintf("imports/%s/files/%d/%s.%s", id, n, attempt, made)
}
func listKey(id, attempt, list string) string {
	return fmt.Sprintf("imports/%s/lists/%s/%s.ndjson.zst", id, attempt, list)
}
