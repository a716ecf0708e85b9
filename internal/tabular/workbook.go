package tabular

import (
	"context"
	"io"

	"sluice/internal/crm"
)

func identifyWorkbook(ctx context.Context, src Source, sheet string) (Format, []crm.Decision, error) {
	return Format{}, nil, invalid("workbooks: not yet")
}

func rewriteSheet(ctx context.Context, src Source, sheet string, w io.Writer) error {
	return invalid("workbooks: not yet")
}
