package inquiry

import (
	"context"
	"crypto/sha256"
	"fmt"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/ledger"
)

// editing is the first time that edits were frozen with some readings. They stand,
// like the readings: to try others, once keys were opened, would be to choose.
type editing struct {
	evidence.EditsFrozen
	seq entrylog.Seq
	by  entrylog.Ref
}

func (b *editsFrozen) fold(s *state, seq entrylog.Seq, e entrylog.Entry) error {
	if _, twice := s.edits[b.Readings]; twice {
		return fmt.Errorf("edits of readings %x were frozen before", b.Readings[:6])
	}
	if s.opened.of(b.Readings) {
		return fmt.Errorf("edits of readings %x come after keys were opened for them", b.Readings[:6])
	}
	s.edits[b.Readings] = editing{b.EditsFrozen, seq, e.Actor}
	return nil
}

// freezeEdits binds edits on the inquiry's log, after the readings and before any
// key is opened for them. What was frozen before stands: the same again is the
// same, none again is those, and others are refused. It gives the edits that
// count, and the entry that has them; nil is none.
func (i *inquest) freezeEdits(ctx context.Context, c candidate, e *form.Edits) (*form.Edits, editing, error) {
	readings := c.readings.Hash()
	if before, ok := i.edits[readings]; ok {
		b, err := i.Blobs.Get(ctx, before.Edits)
		if err != nil {
			return nil, before, fmt.Errorf("the edits that were frozen with these readings: %w", err)
		}
		if e == nil {
			i.step("%d edits were frozen with these readings before: they stand", before.Count)
		} else if e.Hash() != before.Edits {
			return nil, before, fmt.Errorf("%w: others were frozen with these readings, in entry %d of the inquiry's log, and stand", form.ErrEdits, before.seq)
		}
		kept, err := form.ParseEdits(b)
		return kept, before, err
	}
	if e == nil || len(e.List) == 0 {
		return nil, editing{}, nil
	}
	if i.opened.of(readings) {
		return nil, editing{}, fmt.Errorf("%w: keys were opened for these readings already; edits come before", form.ErrEdits)
	}
	if _, err := form.ApplyEdits(&c.readings, e); err != nil {
		return nil, editing{}, err
	}
	text := e.Marshal()
	if err := i.keep(ctx, text); err != nil {
		return nil, editing{}, err
	}
	b := &evidence.EditsFrozen{Case: entrylog.Ref(i.cs), Package: entrylog.Ref(c.Package), Readings: readings, Edits: sha256.Sum256(text), Count: uint32(len(e.List))}
	i.step("freezing %d edits", len(e.List))
	if _, err := i.log.Append(ctx, []ledger.Draft{{Kind: KindEditsFrozen, Actor: entrylog.Ref(i.by.Account), Auth: i.by.Auth, Subject: b.Case, Body: b}}); err != nil {
		return nil, editing{}, err
	}
	return e, i.edits[readings], nil
}

// editor is who brought edits, by name.
func (i *inquest) editor(ctx context.Context, e editing) (name string, err error) {
	err = i.desk.View(func(p *cvd.Programme) error {
		name = i.desk.Names(ctx, p).Ref(e.by)
		return nil
	})
	return name, err
}
