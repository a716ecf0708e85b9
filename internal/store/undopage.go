package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"sluice/internal/crm"
)

// UndoPage reverses some records of an import and enters what became of them in
// the ledger of undos, in one transaction. A page that is in already is not
// reversed again: UndoPage answers what it came to the first time (invariant 3),
// and is safe to call from several workers at once.
//
// What the import changed is restored, every column, if it is as the import
// left it; its before-image goes then. What it created is removed if it is as
// the import left it and, a customer, nothing hangs on it any more. Everything
// else is kept, with why. A record that the database does not let go is
// errored, and the others of the page are reversed all the same. It goes by the
// tables alone, so it does not matter how far the import came.
//
// An undo that has ended wraps [crm.ErrFenced].
func (s *Store) UndoPage(ctx context.Context, in crm.UndoPage) (crm.UndonePage, error) {
	operation := fmt.Sprintf("page %d of undo %d", in.Page, in.Import)
	for tries := 1; ; tries++ {
		u := &undoing{s: s, in: in, singly: tries > races}
		err := s.inSession(ctx, func(tx session) error {
			u.tx = tx
			return u.run(ctx)
		})
		f := faultOf(err)
		if err == nil || u.singly || f == nil || !f.race && !f.data {
			return u.out, wrap(operation, err)
		}
		if f.data {
			tries = races // to try again as one would not help
		}
	}
}

// An undoing is one transaction that reverses a page.
type undoing struct {
	s      *Store
	tx     session
	in     crm.UndoPage
	singly bool // each record by itself, so that one that is refused is found

	target   int64 // number of the import that is undone
	greatest string
	entity   crm.Entity
	from, to string // ids that the page lies between, the first exclusive
	met      []undone
	out      crm.UndonePage
}

// An undone is a record of the page. It is to be reversed unless there is a why.
type undone struct {
	ID      string
	Address int64
	Why     crm.Why
	rev     int64 // that a changed one has if nobody else changed it
	errored bool
}

// firstID is less than any id.
const firstID = "00000000-0000-0000-0000-000000000000"

func (u *undoing) run(ctx context.Context) error {
	if there, err := u.enter(ctx); there || err != nil {
		return err
	}
	if err := u.aim(ctx); err != nil {
		return err
	}
	if err := u.s.dialect.seek(ctx, u.tx, true); err != nil {
		return err
	}
	if err := u.s.dialect.lookUps(ctx, u.tx); err != nil {
		return err
	}
	_, created := u.in.From.Entity()
	meet, reverse := u.meetChanged, u.restore
	if created {
		meet, reverse = u.meetCreated, u.remove
	}
	if err := meet(ctx); err != nil {
		return err
	}
	u.out.Next = crm.UndoPlace{Phase: u.in.From.Phase + 1}
	if len(u.met) == u.in.Rows {
		u.out.Next = crm.UndoPlace{Phase: u.in.From.Phase, After: u.met[len(u.met)-1].ID}
	}
	if len(u.met) > 0 {
		u.to = u.met[len(u.met)-1].ID
		if err := reverse(ctx); err != nil {
			return err
		}
	}
	return u.close(ctx, created)
}

// enter puts the page into the ledger. If it is there already it answers what
// it came to, and true.
//
// Invariant 3: this row comes first and commits with what was reversed. A
// second attempt at the same time waits here, on the ledger's key, until the
// first has ended.
func (u *undoing) enter(ctx context.Context) (there bool, err error) {
	res, err := u.tx.NewInsert().Model(&undoPageRow{ImportNumber: u.in.Import, Page: u.in.Page}).
		On("CONFLICT (import_number, page) DO NOTHING").Returning("NULL").Exec(ctx)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); n == 1 || err != nil {
		return false, err
	}
	var row undoPageRow
	err = u.tx.NewSelect().Model(&row).Where("import_number = ?", u.in.Import).Where("page = ?", u.in.Page).Scan(ctx)
	if err != nil {
		return true, err
	}
	return true, json.Unmarshal([]byte(*row.Result), &u.out)
}

// aim reads which import is undone and keeps the undo from ending before this
// transaction has.
func (u *undoing) aim(ctx context.Context) error {
	var undo, target importRow
	err := u.tx.NewRaw("SELECT state, parent FROM imports WHERE number = ?"+u.s.dialect.share(), u.in.Import).Scan(ctx, &undo.State, &undo.Parent)
	if err != nil {
		return err
	}
	if !undo.State.Open() {
		return crm.ErrFenced
	}
	err = u.tx.NewRaw("SELECT number, started_at FROM imports WHERE id = ?", undo.Parent).Scan(ctx, &target.Number, &target.StartedAt)
	if err != nil {
		return err
	}
	var least string
	created := false
	u.target = target.Number
	u.entity, created = u.in.From.Entity()
	least, u.greatest = crm.IDRange(target.StartedAt.Time)
	switch {
	case u.in.From.After != "":
		u.from = u.in.From.After
	case created:
		u.from = least // no row is at an address that makes this id
	default:
		u.from = firstID
	}
	return nil
}

// meetChanged reads the next records that the import changed.
func (u *undoing) meetChanged(ctx context.Context) error {
	var images []struct {
		ID  string
		Rev int64
	}
	err := u.tx.NewRaw("SELECT CAST(b.id AS text) AS id, b.rev FROM "+before(u.entity)+" AS b WHERE b.import_number = ? AND b.id > ? ORDER BY b.id LIMIT ?",
		u.target, u.from, u.in.Rows).Scan(ctx, &images)
	if err != nil || len(images) == 0 {
		return err
	}
	u.to = images[len(images)-1].ID
	at := make(map[string]int, len(images))
	for i, image := range images {
		at[image.ID] = i
		u.met = append(u.met, undone{ID: image.ID, Why: crm.WhyGone, rev: image.Rev + 1})
	}
	var now []struct {
		ID                          string
		Rev, ChangedImport, Address int64
	}
	query := u.s.dialect.lookUp([]string{"CAST(b.id AS text) AS id"}, "("+u.images()+") AS b",
		[]string{"t.rev AS rev", "t.changed_import AS changed_import", "t.changed_address AS address"}, tables[u.entity], "t.id = b.id")
	if err := u.tx.NewRaw(query, u.args()...).Scan(ctx, &now); err != nil {
		return err
	}
	later := false
	for _, n := range now {
		r := &u.met[at[n.ID]]
		r.Why = crm.WhyChangedSince
		if n.ChangedImport == u.target {
			r.Address = n.Address
		}
		if n.ChangedImport == u.target && n.Rev == r.rev {
			r.Why = ""
		}
		later = later || n.ChangedImport > u.target
	}
	if later {
		return u.lookBack(ctx, at)
	}
	return nil
}

// images selects the before-images of the page.
func (u *undoing) images() string {
	return "SELECT id, rev FROM " + before(u.entity) + " WHERE import_number = ?0 AND id > ?1 AND id <= ?2"
}

func (u *undoing) args() []any { return []any{u.target, u.from, u.to} }

// lookBack finds the rows from which the import changed records that later ones
// changed again: the before-images of those say so, or those of the ones before.
func (u *undoing) lookBack(ctx context.Context, at map[string]int) error {
	seed := u.s.dialect.lookUp([]string{"b.id AS id"}, "("+u.images()+") AS b",
		[]string{"t.changed_import AS number", "t.changed_address AS address"}, tables[u.entity], "t.id = b.id AND t.changed_import > ?0")
	var found []struct {
		ID      string
		Address int64
	}
	err := u.tx.NewRaw("WITH RECURSIVE chain (id, number, address) AS ("+seed+
		" UNION ALL SELECT p.id, p.changed_import, p.changed_address FROM chain AS c CROSS JOIN "+before(u.entity)+
		" AS p WHERE p.import_number = c.number AND p.id = c.id AND c.number > ?0)"+
		" SELECT CAST(id AS text) AS id, address FROM chain WHERE number = ?0", u.args()...).Scan(ctx, &found)
	for _, f := range found {
		u.met[at[f.ID]].Address = f.Address
	}
	return err
}

// meetCreated reads the next records that the import created.
func (u *undoing) meetCreated(ctx context.Context) error {
	return u.tx.NewRaw("SELECT CAST(t.id AS text) AS id, t.created_address AS address, "+whyKept(u.entity, "1 = 1")+
		" AS why FROM "+tables[u.entity]+" AS t WHERE "+ofImport+" ORDER BY t.id LIMIT ?3",
		u.target, u.from, u.greatest, u.in.Rows).Scan(ctx, &u.met)
}

// These say of a record t what an undo of import ?0 does with it.
const (
	ofImport   = "t.created_import = ?0 AND t.id > ?1 AND t.id <= ?2" // created by it, between two ids
	untouched  = "t.rev = 1 AND t.changed_import = ?0"                // of one created: it is as it was
	restorable = "t.rev = b.rev + 1 AND t.changed_import = ?0"        // of one changed, b being what it was before
)

// whyKept is the why of a created record, "" if it can be removed. A contact or
// a note m keeps its customer if it meets stays.
func whyKept(e crm.Entity, stays string) string {
	why := "CASE WHEN NOT (" + untouched + ") THEN '" + string(crm.WhyChangedSince) + "'"
	if e == crm.Customer {
		why += " WHEN " + hung(stays) + " THEN '" + string(crm.WhyOthersHangOnIt) + "'"
	}
	return why + " ELSE '' END"
}

// hung is true of a customer t on which a contact or a note m hangs.
func hung(stays string) string {
	return "(EXISTS (SELECT 1 FROM contacts AS m WHERE m.customer_id = t.id AND " + stays +
		") OR EXISTS (SELECT 1 FROM notes AS m WHERE m.customer_id = t.id AND " + stays + "))"
}

// restore makes the records of the page what they were, and drops the
// before-images of those.
func (u *undoing) restore(ctx context.Context) error {
	var set []string
	for _, c := range tableColumns(u.entity)[1:] { // all but the id
		set = append(set, c+" = b."+c)
	}
	err := u.reverse(ctx, "UPDATE "+tables[u.entity]+" AS t SET "+strings.Join(set, ", ")+" FROM "+before(u.entity)+
		" AS b WHERE b.import_number = ?0 AND b.id > ?1 AND b.id <= ?2 AND t.id = b.id AND "+restorable)
	if err != nil {
		return err
	}
	return expect(ctx, u.tx.Tx, u.reversed(), "DELETE FROM "+before(u.entity)+" AS b WHERE b.import_number = ?0 AND b.id > ?1 AND b.id <= ?2"+
		" AND EXISTS (SELECT 1 FROM "+tables[u.entity]+" AS t WHERE t.id = b.id AND t.rev = b.rev AND t.changed_import = b.changed_import)", u.args()...)
}

// remove removes the records of the page.
func (u *undoing) remove(ctx context.Context) error {
	statement := "DELETE FROM " + tables[u.entity] + " AS t WHERE " + ofImport + " AND " + untouched
	if u.entity == crm.Customer {
		statement += " AND NOT " + hung("1 = 1")
	}
	return u.reverse(ctx, statement)
}

// reversed counts the records that are to be reversed.
func (u *undoing) reversed() (n int64) {
	for _, r := range u.met {
		if r.Why == "" {
			n++
		}
	}
	return n
}

// reverse runs the statement that reverses the records between two ids, on the
// page as a whole or on one record after the other.
func (u *undoing) reverse(ctx context.Context, statement string) error {
	if !u.singly {
		return expect(ctx, u.tx.Tx, u.reversed(), statement, u.args()...)
	}
	from := u.from
	for i := range u.met {
		r := &u.met[i]
		if r.Why == "" {
			if err := u.reverseOne(ctx, r, statement, from); err != nil {
				return err
			}
		}
		from = r.ID
	}
	return nil
}

func (u *undoing) reverseOne(ctx context.Context, r *undone, statement, from string) error {
	one, err := u.tx.Tx.BeginTx(ctx, nil) // a savepoint
	if err != nil {
		return err
	}
	err = expect(ctx, one, 1, statement, u.target, from, r.ID)
	f := faultOf(err)
	switch {
	case err == nil:
		return one.Commit()
	case f == nil || !f.race && !f.data:
		return err // the transaction ends with it
	case f == errRace:
		r.Why = crm.WhyChangedSince
	default:
		r.Why, r.errored = crm.WhyRefused, true
	}
	return one.Rollback()
}

// close completes the page's row in the ledger.
func (u *undoing) close(ctx context.Context, created bool) error {
	tally := &u.out.Counts.Of(u.entity).Changed
	if created {
		tally = &u.out.Counts.Of(u.entity).Created
	}
	for _, r := range u.met {
		tally.Records++
		switch {
		case r.errored:
			tally.Errored++
		case r.Why != "":
			tally.Kept++
		default:
			tally.Reversed++
		}
		if r.Why != "" {
			u.out.Counts.Because(r.Why, 1)
		}
	}
	result, err := json.Marshal(u.out)
	if err != nil {
		return err
	}
	records, err := packRecords(u.met, u.entity, created)
	if err != nil {
		return err
	}
	_, err = u.tx.NewUpdate().Table("undo_pages").Set("result = ?", string(result)).Set("records = ?", records).
		Set("committed_at = ?", instant{now()}).Where("import_number = ?", u.in.Import).Where("page = ?", u.in.Page).Exec(ctx)
	return err
}
