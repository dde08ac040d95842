package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/signin"
)

// The feeds are Atom (RFC 4287). Their ids are tag: URIs (RFC 4151) of the log's
// name and the day on which the programme was founded, which never change, wherever
// the desk is served.

type atomFeed struct {
	XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID       string      `xml:"id"`
	Title    string      `xml:"title"`
	Subtitle string      `xml:"subtitle,omitempty"`
	Updated  string      `xml:"updated"`
	Author   atomAuthor  `xml:"author"`
	Links    []atomLink  `xml:"link"`
	Entries  []atomEntry `xml:"entry"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string     `xml:"id"`
	Title     string     `xml:"title"`
	Published string     `xml:"published,omitempty"`
	Updated   string     `xml:"updated"`
	Links     []atomLink `xml:"link"`
	Summary   string     `xml:"summary,omitempty"`
}

const atomKind = "application/atom+xml; charset=utf-8"

// feedEntries is how many advisories the feed has; those before stay on the pages.
const feedEntries = 50

func (f *atomFeed) bytes() ([]byte, error) {
	b, err := xml.MarshalIndent(f, "", " ")
	return append(append([]byte(xml.Header), b...), '\n'), err
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// tag makes the programme's ids: what never changes names what never changes.
func (v *Visit) tag() (tag func(specific string) string, name string, founded time.Time, err error) {
	err = v.View(func(p *cvd.Programme, n coordinator.Names) error {
		host, rest, _ := strings.Cut(p.Origin, "/")
		host, _, _ = strings.Cut(host, ":")
		name, founded = n.Programme(), p.Founded
		tag = func(specific string) string {
			return "tag:" + strings.ToLower(host) + "," + p.Founded.UTC().Format(time.DateOnly) + ":" + strings.Trim(rest+"/"+specific, "/")
		}
		return nil
	})
	return tag, name, founded, err
}

// advisoriesFeed is what was published, for feed readers.
func advisoriesFeed(v *Visit) error {
	tag, name, founded, err := v.tag()
	if err != nil {
		return err
	}
	list, changed, err := v.published()
	if err != nil {
		return err
	}
	told, said, err := v.announcements()
	if err != nil {
		return err
	}
	if changed = latest(changed, said); changed.IsZero() {
		changed = founded
	}
	at := v.site.Config.Origin
	f := atomFeed{ID: tag("advisories"), Title: name + ": advisories", Updated: rfc3339(changed), Author: atomAuthor{name},
		Links: []atomLink{{"self", "application/atom+xml", at + "/advisories.atom"}, {"alternate", "text/html", at + "/advisories"}}}
	// What is announced, and what was and is withdrawn: whoever read the one has to
	// learn the other. Both are few.
	for _, h := range told {
		f.Entries = append(f.Entries, atomEntry{ID: tag("heads-ups/" + h.HeadsUp.String()), Title: headsUpTitles[h.State] + readable(h.Headline), Published: rfc3339(h.At), Updated: rfc3339(h.Updated()),
			Links: []atomLink{{"alternate", "text/html", at + "/heads-ups/" + h.HeadsUp.String()}}, Summary: readable(headsUpWords(h))})
	}
	for _, a := range list[:min(len(list), feedEntries)] {
		e := atomEntry{ID: tag("advisories/" + a.Case.String()), Title: readable(a.Title), Published: rfc3339(a.at), Updated: rfc3339(a.updated), Links: []atomLink{{"alternate", "text/html", at + a.Path}, {"alternate", "application/json", at + "/csaf/" + a.filed.Path()}}}
		if _, text, err := v.Desk().Advisory(v.Context(), a.Case); err == nil {
			if p, isText := renderProse(text); isText {
				e.Summary = p.Lead
			}
		}
		f.Entries = append(f.Entries, e)
	}
	b, err := f.bytes()
	if err != nil {
		return err
	}
	return v.shared(atomKind, changed, b)
}

// feedTime is how long the address of somebody's own feed works.
const feedTime = 366 * 24 * time.Hour

type feedMade struct {
	Address string `json:"address" doc:"Shown this once. Whoever has it learns when something waits for you, and nothing else."`
	Until   Moment `json:"until"`
}

// makeFeed makes the address of one's own feed: a token that is for nothing else,
// and is revoked like any.
func makeFeed(v *Visit) error {
	secret, err := signin.Secret(v.site.Rand)
	if err != nil {
		return err
	}
	until := v.Now().Add(feedTime)
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.IssueToken{Account: v.By.Account, Token: signin.KeyOf(secret), Scope: cvd.ScopeFeed, Until: until}); err != nil {
		return err
	}
	made := feedMade{v.site.Config.Origin + "/feed/" + secret + ".atom", v.Moment(until)}
	if v.API() {
		return v.Done("/account", made)
	}
	return v.Render("feed-made", made)
}

// ownFeed says that something waits for somebody. It has one entry at most, the
// same for everything and everybody but for its time.
func ownFeed(v *Visit) error {
	secret, whole := strings.CutSuffix(v.PathValue("name"), ".atom")
	hash := signin.KeyOf(secret)
	var by cvd.Actor
	if err := v.View(func(p *cvd.Programme, _ coordinator.Names) error {
		if id, scope, ok := p.TokenOf(hash, v.Now()); ok && whole && scope == cvd.ScopeFeed {
			by.Account = id
		}
		return nil
	}); err != nil {
		return err
	}
	if by.Account.IsZero() {
		if err := v.tries("feed", tokenTries); err != nil {
			return err
		}
		return errNoPage
	}
	waits, err := v.Desk().Waits(v.Context(), by)
	if err != nil {
		return err
	}
	tag, name, at, err := v.tag()
	if err != nil {
		return err
	}
	owner := sha256.Sum256(append([]byte("forewarn feed\n"), hash[:]...))
	own := "feed/" + hex.EncodeToString(owner[:8])
	f := atomFeed{ID: tag(own), Title: name, Author: atomAuthor{name}, Links: []atomLink{{"alternate", "text/html", v.site.Config.Origin + "/home"}}}
	waiting := false
	for _, w := range waits {
		if w.For != coordinator.WaitOpening && w.Why == "" && w.Mine {
			waiting = true
			if at.Before(w.At) {
				at = w.At
			}
		}
	}
	f.Updated = rfc3339(at)
	if waiting {
		f.Entries = []atomEntry{{ID: tag(own + "/" + at.UTC().Format("20060102T150405Z")), Title: "Something is waiting for you", Updated: f.Updated, Links: f.Links}}
	}
	b, err := f.bytes()
	if err != nil {
		return err
	}
	v.w.Header().Set("Cache-Control", "private, no-cache")
	sum := sha256.Sum256(b)
	etag := `"` + hex.EncodeToString(sum[:12]) + `"`
	v.w.Header().Set("ETag", etag)
	if known(v.Header.Get("If-None-Match"), etag) {
		v.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	v.send(http.StatusOK, atomKind, b)
	return nil
}
