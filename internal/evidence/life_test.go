package evidence_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
)

// Whoever does something in these tests, and when.
var (
	drafter, reviewer = entrylog.Ref{1}, entrylog.Ref{2}
	accused, third    = entrylog.Ref{3}, entrylog.Ref{4}
	begun             = time.Date(2025, 5, 1, 9, 0, 0, 0, time.UTC)
	hours             = func(n int) time.Time { return begun.Add(time.Duration(n) * time.Hour) }
	text              = [32]byte{9}
)

func lived(t *testing.T, named []entrylog.Ref, acts ...evidence.Done) evidence.Life {
	t.Helper()
	l := evidence.Drafted(named, evidence.Done{At: begun, By: drafter})
	for i, d := range acts {
		var err error
		if l, err = l.Take(d); err != nil {
			t.Fatalf("act %d, %s: %v", i+1, d.Act, err)
		}
	}
	return l
}

var (
	putTo    = evidence.Done{Act: evidence.ActPut, At: hours(1), By: drafter, Until: hours(49)}
	replied  = evidence.Done{Act: evidence.ActReply, At: hours(2), By: drafter, Holder: accused, Text: text}
	silence  = evidence.Done{Act: evidence.ActSilent, At: hours(2), By: drafter, Holder: accused, Text: text}
	reviewed = evidence.Done{Act: evidence.ActReview, At: hours(3), By: reviewer, Text: text}
	objected = evidence.Done{Act: evidence.ActObject, At: hours(3), By: reviewer, Text: text}
	final    = evidence.Done{Act: evidence.ActFinal, At: hours(4), By: drafter}
	gone     = evidence.Done{Act: evidence.ActWithdraw, At: hours(5), By: drafter, Text: text}
)

func TestLife(t *testing.T) {
	one := []entrylog.Ref{accused}
	at := func(d evidence.Done, h int) evidence.Done { d.At = hours(h); return d }
	late := at(final, 60)
	for name, c := range map[string]struct {
		named []entrylog.Ref
		acts  []evidence.Done
		then  evidence.Stage
	}{
		"put, replied, reviewed, final":              {one, []evidence.Done{putTo, replied, reviewed, final}, evidence.Final},
		"no reply, as is said":                       {one, []evidence.Done{putTo, silence, reviewed, final}, evidence.Final},
		"no reply, and the time is over":             {one, []evidence.Done{putTo, reviewed, late}, evidence.Final},
		"nobody is named":                            {nil, []evidence.Done{reviewed, final}, evidence.Final},
		"a reply after the review is reviewed again": {one, []evidence.Done{putTo, reviewed, at(replied, 4), at(reviewed, 5), at(final, 6)}, evidence.Final},
		"no reply, said after the review":            {one, []evidence.Done{putTo, reviewed, at(silence, 4)}, evidence.Put},
		"and reviewed again":                         {one, []evidence.Done{putTo, reviewed, at(silence, 4), at(reviewed, 5), at(final, 6)}, evidence.Final},
		"an objection, and all again":                {one, []evidence.Done{putTo, replied, objected, at(putTo, 4), at(reviewed, 5), at(final, 6)}, evidence.Final},
		"a reply after everything":                   {one, []evidence.Done{putTo, silence, reviewed, final, at(replied, 9)}, evidence.Final},
		"a reply to what went back to draft":         {one, []evidence.Done{putTo, objected, at(replied, 9)}, evidence.Draft},
		"withdrawn, and replied to":                  {one, []evidence.Done{putTo, gone, at(replied, 9)}, evidence.Withdrawn},
	} {
		acts := slices.Clone(c.acts)
		for i := range acts {
			if acts[i].Act == evidence.ActPut {
				acts[i].Until = acts[i].At.Add(48 * time.Hour)
			}
		}
		l := lived(t, c.named, acts...)
		if l.Stage != c.then || len(l.Done) != len(acts)+1 {
			t.Errorf("%s: they are %s after %d acts", name, l.Stage, len(l.Done))
		}
	}
}

func TestLifeRefuses(t *testing.T) {
	one, two := []entrylog.Ref{accused}, []entrylog.Ref{accused, third}
	by := func(d evidence.Done, who entrylog.Ref) evidence.Done { d.By = who; return d }
	quiet := func(d evidence.Done) evidence.Done { d.Text = [32]byte{}; return d }
	soon, early, stranger, less := putTo, final, replied, putTo
	less.At, less.Until = hours(4), hours(48)
	unseen := silence
	unseen.At = hours(4)
	soon.Until, early.At, stranger.Holder = hours(2), hours(0), third
	for name, c := range map[string]struct {
		named []entrylog.Ref
		acts  []evidence.Done
		then  evidence.Done
		why   string
	}{
		"review before it is put":         {one, nil, reviewed, "put them to whom"},
		"put to nobody":                   {nil, nil, putTo, "nobody to put them to"},
		"too little time":                 {one, nil, soon, "at least"},
		"less time than was given before": {one, []evidence.Done{putTo, objected}, less, "were given until"},
		"final when the reviewer did not see that no reply will come": {one, []evidence.Done{putTo, reviewed, unseen}, final, "is not what can follow"},
		"reviewed by who drafted again":                               {one, []evidence.Done{putTo, reviewed, unseen}, by(reviewed, drafter), "another investigator"},
		"reviewed by who drafted":                                     {one, []evidence.Done{putTo, replied}, by(reviewed, drafter), "another investigator"},
		"objected to by who drafted":                                  {one, []evidence.Done{putTo}, by(objected, drafter), "another investigator"},
		"final without a review":                                      {one, []evidence.Done{putTo, replied}, final, "is not what can follow"},
		"final without a reply, before its time":                      {one, []evidence.Done{putTo, reviewed}, final, "has not replied"},
		"final without one of two replies":                            {two, []evidence.Done{putTo, replied, reviewed}, final, "1 of those"},
		"a reply before it was put":                                   {one, nil, replied, "never put"},
		"the reply of somebody not named":                             {one, []evidence.Done{putTo}, stranger, "name no copy"},
		"a reply without a text":                                      {one, []evidence.Done{putTo}, quiet(replied), "comes with a text"},
		"a review without a text":                                     {one, []evidence.Done{putTo}, quiet(reviewed), "comes with a text"},
		"silence without a reason":                                    {one, []evidence.Done{putTo}, quiet(silence), "comes with a text"},
		"withdrawn without a reason":                                  {one, nil, quiet(gone), "comes with a text"},
		"final twice":                                                 {one, []evidence.Done{putTo, replied, reviewed, final}, final, "is not what can follow"},
		"anything after it was withdrawn":                             {one, []evidence.Done{putTo, gone}, reviewed, "is not what can follow"},
		"before what was done last":                                   {one, []evidence.Done{putTo, replied, reviewed}, early, "before what was done last"},
		"drafted again":                                               {one, nil, evidence.Done{Act: evidence.ActDraft, At: hours(1), By: drafter}, "is not what can follow"},
	} {
		l := lived(t, c.named, c.acts...)
		before := len(l.Done)
		after, err := l.Take(c.then)
		if !errors.Is(err, evidence.ErrStage) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %q", name, err, c.why)
		}
		if after.Stage != l.Stage || len(after.Done) != before {
			t.Errorf("%s: it was refused, and the life changed", name)
		}
	}
}

// In every stage every act by everybody either follows the table or is refused, and
// never loses what was done.
func TestLifeFollowsItsTable(t *testing.T) {
	all := []evidence.Done{putTo, replied, silence, reviewed, objected, final, gone}
	var walk func(l evidence.Life, depth int)
	walk = func(l evidence.Life, depth int) {
		if depth == 0 {
			return
		}
		for _, d := range all {
			for _, who := range []entrylog.Ref{drafter, reviewer} {
				d.By, d.At = who, l.Done[len(l.Done)-1].At.Add(time.Hour)
				if d.Act == evidence.ActPut { // later than any before: time only passes
					d.Until = d.At.Add(30 * time.Hour)
				}
				next, err := l.Take(d)
				if err != nil {
					continue
				}
				fits := slices.ContainsFunc(evidence.LifeSteps, func(s evidence.LifeStep) bool {
					return s.From == l.Stage && s.To == next.Stage && s.Act == d.Act && (s.Who != evidence.ByAnother || who != drafter)
				})
				if !fits || !slices.Equal(next.Done[:len(l.Done)], l.Done) {
					t.Fatalf("from %s, %s by %x leads to %s", l.Stage, d.Act, who[:1], next.Stage)
				}
				if next.Stage == evidence.Final && !slices.ContainsFunc(next.Done, func(x evidence.Done) bool { return x.Act == evidence.ActReview && x.By != drafter }) {
					t.Fatal("final, and nobody else reviewed them")
				}
				walk(next, depth-1)
			}
		}
	}
	walk(evidence.Drafted([]entrylog.Ref{accused}, evidence.Done{At: begun, By: drafter}), 6)
}
