package store

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// timeLayout is the canonical text of a time: see crm.Time. SQLite keeps it as
// it is, PostgreSQL reads it.
const timeLayout = "2006-01-02T15:04:05.000Z"

func timeText(t time.Time) string { return t.UTC().Format(timeLayout) }

// An instant is a column that holds a time, in either database. The zero time
// is NULL.
type instant struct{ time.Time }

// Value implements [driver.Valuer].
func (i instant) Value() (driver.Value, error) {
	if i.IsZero() {
		return nil, nil
	}
	return timeText(i.Time), nil
}

// Scan implements [database/sql.Scanner].
func (i *instant) Scan(src any) (err error) {
	switch v := src.(type) {
	case nil:
		i.Time = time.Time{}
	case time.Time:
		i.Time = v.UTC()
	case string:
		i.Time, err = time.Parse(timeLayout, v)
	case []byte:
		i.Time, err = time.Parse(timeLayout, string(v))
	default:
		err = fmt.Errorf("a time as %T", src)
	}
	return err
}
