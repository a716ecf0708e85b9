package crm

import (
	"strconv"
	"time"
)

// AppendRecord appends the line of one record in a batch: the columns of
// [BatchColumns], as [AppendCopy] writes values. The record stands at a in an
// import that started at the given time; customer is the external id of its
// customer, identity what [AppendIdentity] says of values, and values are in
// the order of [Fields].
func AppendRecord(dst []byte, started time.Time, e Entity, a Address, customer string, identity, values []string) []byte {
	dst = strconv.AppendInt(dst, int64(a), 10)
	dst = appendUUID(append(dst, '\t'), recordID(started.UnixMilli(), a, idHash(started, e, a)))
	if e != Customer {
		dst = appendCopyValue(append(dst, '\t'), customer)
		dst = appendUUID(append(dst, '\t'), ClaimKey(nil, e, identity...))
	}
	return AppendCopy(append(dst, '\t'), values...)
}
