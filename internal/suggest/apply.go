package suggest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"forewarn/internal/carrier"
)

// ErrMoved: the source isn't the one that was read when the proposals were made.
var ErrMoved = errors.New("the text has moved since it was read")

// ErrProposal: an approved proposal can't be marked as it is written.
var ErrProposal = errors.New("an approved proposal can't be marked")

// Apply marks the approved proposals in a source, and adds who approved them to
// its approvals.yaml. The day is as in 2025-07-08. It marks all of them or none:
// where one doesn't stand in the source as it was quoted the error is ErrMoved;
// where one was edited into something that no mark says it is ErrProposal; what
// the compiler refuses is carrier.ErrRefused.
func Apply(src carrier.Source, list []Proposal, day string) (carrier.Source, []carrier.Approval, error) {
	all, read := map[string][]found{}, map[string]*prose{}
	var moved []string
	var approvals []carrier.Approval
	for _, p := range list {
		if strings.TrimSpace(p.ApprovedBy) == "" {
			continue
		}
		f, err := locate(src, p, read)
		switch {
		case errors.Is(err, ErrMoved):
			moved = append(moved, fmt.Sprintf("%s:%d:%d: %q", p.File, p.Line, p.Col, firstRunes(p.Quote, context)))
			continue
		case err != nil:
			return carrier.Source{}, nil, err
		}
		all[p.File] = append(all[p.File], f)
	}
	if len(moved) > 0 {
		const most = 10
		more := ""
		if len(moved) > most {
			more = fmt.Sprintf("\n… and %d more", len(moved)-most)
			moved = moved[:most]
		}
		return carrier.Source{}, nil, fmt.Errorf("%w: these are no longer where they were\n%s%s", ErrMoved, strings.Join(moved, "\n"), more)
	}
	for _, file := range src.Files {
		in := all[file.Path]
		slices.SortFunc(in, func(a, b found) int { return cmp.Compare(a.at, b.at) })
		for i := range in {
			if i > 0 && in[i].at < in[i-1].end {
				return carrier.Source{}, nil, fmt.Errorf("%w: %s:%d:%d: it overlaps another; leave one without a name", ErrProposal, in[i].File, in[i].Line, in[i].Col)
			}
			mark := in[i].mark()
			if in[i].Kind == Order {
				mark = strings.TrimSpace(strings.SplitN(in[i].Quote, "\n", 2)[0])
			}
			approvals = append(approvals, carrier.Approval{File: file.Path, Mark: mark, By: strings.TrimSpace(in[i].ApprovedBy), Date: day})
		}
	}
	out, _ := markAll(src, all)
	if len(approvals) > 0 {
		if err := record(&out, approvals); err != nil {
			return carrier.Source{}, nil, err
		}
	}
	if _, _, _, err := carrier.Compile(out, checkKey); err != nil {
		return carrier.Source{}, nil, err
	}
	return out, approvals, nil
}

// locate finds a proposal in the source and checks that it says what its mark
// will show. What it reads of a file it keeps in read.
func locate(src carrier.Source, p Proposal, read map[string]*prose) (found, error) {
	s := text(src, p.File)
	at := offset(s, p.Line, p.Col)
	if at < 0 || !strings.HasSuffix(s[:at], p.Before) || !strings.HasPrefix(s[at:], p.Quote) || !strings.HasPrefix(s[at+len(p.Quote):], p.After) {
		return found{}, ErrMoved
	}
	f := found{Proposal: p, at: at, end: at + len(p.Quote)}
	bad := func(format string, args ...any) (found, error) {
		return found{}, fmt.Errorf("%w: %s:%d:%d: %s", ErrProposal, p.File, p.Line, p.Col, fmt.Sprintf(format, args...))
	}
	prose, known := read[p.File]
	if !known {
		prose = readProse(p.File, s)
		read[p.File] = prose
	}
	if prose == nil || p.File == carrier.ManifestPath || p.File == carrier.ApprovalsPath {
		return bad("the file isn't prose that may be marked")
	}
	switch p.Kind {
	case Order:
		if at > 0 && s[at-1] != '\n' || f.end < len(s) && s[f.end-1] != '\n' {
			return bad("a list is whole lines")
		}
		f.hash = !isMarkdown(p.File)
		return f, nil
	case Wording:
		if !slices.Contains(p.Alternatives, p.Quote) {
			return bad("the quote %q isn't among the alternatives", p.Quote)
		}
		for _, a := range p.Alternatives {
			if strings.ContainsAny(a, "|{}\n") || strings.HasPrefix(a, "#") {
				return bad("the alternative %q has a character that a mark means something else by", a)
			}
		}
		if err := carrier.CheckAlternatives(p.Alternatives); err != nil {
			return bad("%s", strings.TrimPrefix(err.Error(), carrier.ErrRefused.Error()+"\n"))
		}
	default:
		// What is shown follows from the value, so a list that was edited is refused.
		if ways := carrier.Ways(p.Kind, p.Value); ways == nil || !slices.Contains(ways, p.Quote) || !slices.Equal(ways, p.Alternatives) {
			return bad("the %s %q isn't written as it says; values can't be edited", p.Kind, p.Value)
		}
	}
	if !prose.free(f.at, f.end) {
		return bad("it stands in a mark, a block, code, or something else that is no running text")
	}
	return f, nil
}

// record adds approvals to the source's file of them.
func record(src *carrier.Source, approvals []carrier.Approval) error {
	i, there := slices.BinarySearchFunc(src.Files, carrier.ApprovalsPath, func(f carrier.SourceFile, path string) int { return cmp.Compare(f.Path, path) })
	if there {
		old, err := carrier.ReadApprovals(string(src.Files[i].Data))
		if err != nil {
			return err
		}
		approvals = append(old, approvals...)
	} else {
		src.Files = slices.Insert(src.Files, i, carrier.SourceFile{Path: carrier.ApprovalsPath})
	}
	src.Files[i].Data = []byte(carrier.WriteApprovals(approvals))
	return nil
}
