package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// memberCasePage is a case as its participants and its finder see it.
type memberCasePage struct {
	coordinator.Part
	Rulings []rulingLine `json:"-"`
	Member  bool         `json:"-"` // else its finder
	LogKey  string       `json:"log_key" doc:"With which a copy's proof is checked. Compare it with one that you got another way."`

	Checks string `json:"-"` // what 'forewarn open' is told to check a copy with
	Origin string `json:"-"`

	Moment func(time.Time) Moment `json:"-"`
}

// rulingLine is what may be done with a revision's content: one line for a use, of
// the newest wave.
type rulingLine struct {
	Use   string
	Said  string
	From  Moment
	Early bool // it may be done before the release
}

// memberCase shows a case to those who take part in it.
func memberCase(v *Visit, id cvd.CaseID) error {
	part, err := v.Desk().Part(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	page := memberCasePage{Part: part, Member: part.Consent != "", LogKey: v.Desk().Key, Origin: v.site.Origin, Moment: v.Moment}
	if page.Checks, err = v.checks(); err != nil {
		return err
	}
	if n := len(part.Waves); n > 0 {
		page.Rulings = v.rulings(part.Waves[n-1].Uses, time.Time{})
	}
	return v.Render("case-member", page)
}

// checks is what 'forewarn open' is told, on a machine that has nothing of the
// programme, to check a copy: the log's key, the time between its anchors, and where
// they are published.
func (v *Visit) checks() (flags string, err error) {
	err = v.View(func(p *cvd.Programme, _ coordinator.Names) error {
		flags = "--log-key " + v.Desk().Key
		if p.Interval != time.Minute {
			flags += " --tick " + p.Interval.String()
		}
		return nil
	})
	return flags + " --anchors " + v.site.Origin + "/log/", err
}

// useWords is what people call the uses that a package rules on.
var useWords = map[string]string{
	cvd.DeployPatch.String():      "Deploy the patch in your own systems",
	cvd.DeployMitigation.String(): "Deploy a mitigation in your own systems",
	cvd.ShipSignature.String():    "Ship a detection or signature to customers",
	cvd.TellCustomers.String():    "Tell customers that there is something",
	cvd.ShareWithMember.String():  "Talk about it with another member of the case",
}

// rulings are what may be done, and what of it before a release; zero: that isn't asked.
func (v *Visit) rulings(uses map[string]string, release time.Time) (out []rulingLine) {
	for use := cvd.DeployPatch; useWords[use.String()] != ""; use++ {
		line := rulingLine{Use: useWords[use.String()], Said: uses[use.String()]}
		if at, err := time.Parse(time.RFC3339, line.Said); err == nil {
			line.Said, line.From, line.Early = "from", v.Moment(at), at.Before(release)
		}
		out = append(out, line)
	}
	return out
}

// mayPart asks the policy about one's own member's part in a case, before anything
// that was sent is looked at: what is wrong with it would tell that the case is
// there.
func (v *Visit) mayPart(a cvd.Action, id cvd.CaseID) error {
	return v.View(func(p *cvd.Programme, _ coordinator.Names) error {
		return p.May(v.By, a, cvd.APart(id, p.Accounts[v.By.Account].Member), v.Now())
	})
}

type consentAsk struct {
	Word string `json:"word" need:"true" one:"accept,decline" doc:"accept or decline, for your whole member."`
}

// consent is a member's word on an invitation.
func consent(v *Visit) error {
	id, err := pathID[cvd.CaseID](v, "case")
	if err != nil {
		return err
	}
	if err := v.mayPart(cvd.ActConsent, id); err != nil {
		return err
	}
	var in consentAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	if in.Word != "accept" && in.Word != "decline" {
		return &FieldError{"word", "is neither accept nor decline"}
	}
	if err := v.Desk().Consent(v.Context(), v.By, id, in.Word == "accept"); err != nil {
		return err
	}
	return v.Done("/cases/"+id.String(), nil)
}

type answerAsk struct {
	Product cvd.ProductID `json:"product" need:"true"`
	Answer  string        `json:"answer" need:"true" one:"not affected,investigating,affected,in progress,ready,shipped"`
	Note    string        `json:"note" max:"2000" doc:"Versions, a reference, words; encrypted under the case's key."`
}

// answer is what a member says about a product.
func answer(v *Visit) error {
	id, err := pathID[cvd.CaseID](v, "case")
	if err != nil {
		return err
	}
	if err := v.mayPart(cvd.ActAnswer, id); err != nil {
		return err
	}
	var in answerAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	say, err := cvd.ParseAnswer(in.Answer)
	if err != nil || say == cvd.NoAnswer {
		return &FieldError{"answer", "is none of those that can be given"}
	}
	if err := v.Desk().Answer(v.Context(), v.By, id, in.Product, say, in.Note); err != nil {
		return err
	}
	return v.Done("/cases/"+id.String()+"#answers", nil)
}

type recallsDone struct {
	Revisions []uint32 `json:"revisions" doc:"Whose recall is acknowledged now."`
}

// acknowledgeRecalls says that a member stopped using what was recalled.
func acknowledgeRecalls(v *Visit) error {
	id, err := pathID[cvd.CaseID](v, "case")
	if err != nil {
		return err
	}
	numbers, err := v.Desk().AcknowledgeRecalls(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	return v.Done("/cases/"+id.String(), recallsDone{append([]uint32{}, numbers...)})
}

// receipt is the receipt that was lodged for one's copy, as a file.
func receipt(v *Visit) error {
	id, err := pathID[cvd.WaveID](v, "wave")
	if err != nil {
		return err
	}
	r, err := v.Desk().Receipt(v.By, id)
	if err != nil {
		return err
	}
	v.file(id.Short()+".receipt", "application/octet-stream", r.Marshal())
	return nil
}

// file sends a file for keeping: browsers run and show nothing of it.
func (v *Visit) file(name, kind string, b []byte) {
	h := v.w.Header()
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	v.send(http.StatusOK, kind, b)
}

type productsPage struct {
	Products []coordinator.PortfolioLine `json:"products"`
}

// products are those of one's member.
func products(v *Visit) error {
	list, err := v.Desk().Portfolio(v.Context(), v.By)
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b coordinator.PortfolioLine) int { return cmp.Compare(a.Name, b.Name) })
	return v.Render("products", productsPage{list})
}
