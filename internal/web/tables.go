package web

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// table sends rows as a CSV file for a spreadsheet, in which no cell is a formula.
func (v *Visit) table(name string, head []string, rows [][]string) error {
	var b bytes.Buffer
	t := csv.NewWriter(&b)
	_ = t.Write(head)
	for _, r := range rows {
		_ = t.Write(cells(r...))
	}
	t.Flush()
	if err := t.Error(); err != nil {
		return err
	}
	v.file(name, "text/csv; charset=utf-8", b.Bytes())
	return nil
}

// exportMembers is all members as a file.
func exportMembers(v *Visit) error {
	all, err := v.Desk().MemberBoard(v.Context(), v.By, "", "")
	if err != nil {
		return err
	}
	if err := v.Desk().FillNames(v.Context(), v.By, all); err != nil {
		return err
	}
	yes := map[bool]string{true: "yes", false: "no"}
	var rows [][]string
	for _, m := range all {
		rows = append(rows, []string{m.Member.String(), m.Name, fmt.Sprint(m.Tier), strings.Join(m.Jurisdictions, " "), m.Standing, yes[m.Terms], yes[m.Keys], fmt.Sprint(m.Accounts), yes[m.Group]})
	}
	return v.table("members.csv", []string{"member", "name", "tier", "jurisdictions", "standing", "terms_accepted", "keys", "accounts", "common_ownership"}, rows)
}

// answersPage is what each member said on each product of a case.
type answersPage struct {
	list
	Case    cvd.CaseID   `json:"case"`
	Title   string       `json:"title"`
	Answers []answerLine `json:"answers"`
	Silent  int          `json:"no_answer"`
}

type answerLine struct {
	coordinator.AnswerRow
	At Moment `json:"at"`
}

// answersOf lists a case's answers, one line for a member and a product.
func answersOf(v *Visit) error {
	var in listIn
	id, _, err := v.onCase(&in)
	if err != nil {
		return err
	}
	all, err := v.Desk().Answers(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	page := answersPage{Case: id, Answers: []answerLine{}}
	var matching []coordinator.AnswerRow
	low := strings.ToLower(in.Words)
	for _, a := range all {
		if a.Answer == cvd.NoAnswer.String() {
			page.Silent++
		}
		if strings.Contains(strings.ToLower(a.Name+"\n"+a.Of+"\n"+a.Answer), low) {
			matching = append(matching, a)
		}
	}
	shown, l, err := part(matching, in, "/cases/"+id.String()+"/answers", func(a coordinator.AnswerRow) string { return a.Member.String() + a.Product.String() },
		[2]string{"", "Member"}, [2]string{"", "#Tier"}, [2]string{"", "Product"}, [2]string{"", "Answer"}, [2]string{"", "Since"}, [2]string{"", "Note"})
	if err != nil {
		return err
	}
	page.list = l
	for _, a := range shown {
		page.Answers = append(page.Answers, answerLine{a, v.Moment(a.At)})
	}
	if err := v.View(func(_ *cvd.Programme, n coordinator.Names) error { page.Title = n.Case(id); return nil }); err != nil {
		return err
	}
	return v.Render("case-answers", page)
}

// exportAnswers is a case's answers as a file.
func exportAnswers(v *Visit) error {
	id, _, err := v.onCase(nil)
	if err != nil {
		return err
	}
	all, err := v.Desk().Answers(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, a := range all {
		at := ""
		if !a.At.IsZero() {
			at = rfc3339(a.At)
		}
		rows = append(rows, []string{a.Member.String(), a.Name, fmt.Sprint(a.Tier), a.Of, a.Answer, at, a.By, a.Note})
	}
	return v.table("answers.csv", []string{"member", "name", "tier", "product", "answer", "since", "by", "note"}, rows)
}
