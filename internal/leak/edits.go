package leak

import (
	"fmt"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// Edits are readings that were put right by hand, frozen before any key was
// opened for them. Findings print them, who brought them, and what wording says
// with them; they conclude nothing from them.
type Edits struct {
	Made        *form.Edits
	FrozenAt    time.Time
	Account     entrylog.Ref // who brought them
	AccountName string
}

// edits adds the part about edits to findings whose copies are named.
func (j *judge) edits(rows []evidence.Accused) error {
	e := j.in.Reading.Edits
	if e == nil {
		return nil
	}
	var named []*evidence.Accused
	for i := range rows {
		named = append(named, &rows[i])
	}
	part, err := evidence.WithEdits(j.basis, e.Made, j.f.Alpha, named, func(h evidence.ID) fpcode.Key { return j.in.Reading.CopyKey(entrylog.Ref(h)) })
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInputs, err)
	}
	part.FrozenAt, part.Account, part.AccountName = micro(e.FrozenAt), evidence.ID(e.Account), e.AccountName
	j.f.Edits = part
	return nil
}

// accumulated adds what all cases together say, where they accuse anybody.
func (j *judge) accumulated() {
	if a := j.in.Accumulated; a != nil && len(a.Members) > 0 {
		part := *a
		part.Together = evidence.AlphaTogether(j.in.Reading.AlphaPico, a.AlphaPico)
		j.f.Accumulated = &part
	}
}
