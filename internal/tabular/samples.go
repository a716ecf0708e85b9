package tabular

import (
	"context"
	"fmt"
	"strings"

	"sluice/internal/crm"
)

// Samples returns the cells of the first n rows that are sound, as copies that
// the caller may keep; fewer if the file has no more, and none without an error.
func Samples(ctx context.Context, src Source, l Layout, n int) ([][]string, error) {
	r, closer, err := open(ctx, src, l, l.Start)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", src.Name, err)
	}
	defer closer.Close()
	var list [][]string
	var row crm.Row
	for len(list) < n {
		err := r.Read(&row)
		if isEnd(err) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", src.Name, err)
		}
		if row.Fault != "" {
			continue
		}
		own := make([]string, len(row.Cells))
		for i, c := range row.Cells {
			own[i] = strings.Clone(c)
		}
		list = append(list, own)
	}
	return list, nil
}
