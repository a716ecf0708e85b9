package wiring

import (
	"context"

	"sluice/internal/source"
)

// AboutSource returns what the connector of a source says of itself, and what
// share of its limits the source's settings let us make use of. It asks the
// database alone. A source without a connector wraps [crm.ErrInvalid]; secrets
// that do not open [crm.ErrDenied].
func AboutSource(ctx context.Context, c Config, s sourceStore, slug string) (source.About, float64, error) {
	src, err := s.Source(ctx, slug)
	if err != nil {
		return source.About{}, 0, err
	}
	con, err := source.Of(src.Kind)
	if err != nil {
		return source.About{}, 0, err
	}
	keys, err := Keys(c)
	if err != nil {
		return source.About{}, 0, err
	}
	settings, err := (&sources{store: s, keys: keys}).settings(ctx, src, con)
	return source.AboutFor(con, settings), source.ShareOf(settings), err
}
