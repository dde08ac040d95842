package dsn

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// bounce is a notification as a common mail server writes it.
const bounce = `From: MAILER-DAEMON@mx.example
To: notices@desk.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="4b/mx.example"

--4b/mx.example
Content-Type: text/plain; charset=us-ascii

The mail system

<ben@member.example>: host mx.member.example said: 550 5.1.1 unknown user

--4b/mx.example
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
X-Queue-ID: 4b

Final-Recipient: rfc822; ben@member.example
Original-Recipient: rfc822;ben@member.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.member.example
Diagnostic-Code: smtp; 550 5.1.1 unknown user

--4b/mx.example
Content-Type: text/rfc822-headers

Subject: Something is waiting for you
Message-ID: <00000000000000000000000022@desk.example>
From: <notices@desk.example>

--4b/mx.example--
`

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestParse(t *testing.T) {
	want := Report{"00000000000000000000000022@desk.example", "ben@member.example", "failed", "5.1.1"}
	encoded := strings.Replace(bounce, "Content-Type: text/rfc822-headers\n\nSubject: Something is waiting for you\nMessage-ID: <00000000000000000000000022@desk.example>\nFrom: <notices@desk.example>\n",
		"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nTWVzc2FnZS1JRDogPDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDIyQGRlc2suZXhhbXBsZT4NCg0K\n", 1)
	for name, s := range map[string]string{"lines of LF": bounce, "lines of CRLF": crlf(bounce), "base64": encoded} {
		got := Parse([]byte(s))
		if len(got) != 1 || got[0] != want || !got[0].Permanent() {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	delayed := Parse([]byte(strings.NewReplacer("Action: failed", "Action: delayed", "Status: 5.1.1", "Status: 4.4.1 (timeout)").Replace(bounce)))
	if len(delayed) != 1 || delayed[0].Permanent() || delayed[0].Status != "4.4.1" {
		t.Errorf("a delay is %+v", delayed)
	}
	two := Parse([]byte(strings.Replace(bounce, "Action: failed\nStatus: 5.1.1\n", "Action: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; cem@member.example\nAction: failed\nStatus: 5.2.2\n", 1)))
	if len(two) != 2 || two[1].Recipient != "cem@member.example" || two[1].MessageID != want.MessageID {
		t.Errorf("two recipients: %+v", two)
	}
	for name, s := range map[string]string{
		"a letter":             "From: ben@member.example\nSubject: hello\n\nFinal-Recipient: rfc822; ben@member.example\nAction: failed\n",
		"nothing":              "",
		"no header":            "\n\n\n",
		"another report":       strings.Replace(bounce, "delivery-status;", "disposition-notification;", 1),
		"a part without parts": strings.Replace(bounce, "--4b/mx.example", "--5c", -1),
		"without a boundary":   strings.Replace(bounce, `boundary="4b/mx.example"`, "x=y", 1),
	} {
		if got := Parse([]byte(s)); len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRead(t *testing.T) {
	big := "Subject: big\n\n" + strings.Repeat(strings.Repeat("x", 70)+"\n", MaxMessage/70+1) + "\n"
	box := "From MAILER-DAEMON Thu Nov 26 21:00:00 2026\n" + bounce + "\n" +
		"From ben@member.example Thu Nov 26 21:01:00 2026\nSubject: hello\n\nWell:\nFrom here on\n\n" +
		"From x Thu Nov 26 21:02:00 2026\n" + big +
		"From MAILER-DAEMON Thu Nov 26 21:03:00 2026\n" + bounce
	var got []Report
	c, err := Read(strings.NewReader(box), func(r Report) error { got = append(got, r); return nil })
	// "From here on" stands after a line that isn't empty: it is text.
	if err != nil || len(got) != 2 || c != (Counts{4, 2, 1}) {
		t.Errorf("an mbox: %d reports, %+v, %v", len(got), c, err)
	}
	one, err := Read(strings.NewReader(bounce), func(Report) error { return nil })
	if err != nil || one != (Counts{1, 1, 0}) {
		t.Errorf("one message: %+v, %v", one, err)
	}
	stop := errors.New("stop")
	if _, err := Read(strings.NewReader(box), func(Report) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("what yield says is lost: %v", err)
	}
	// A line without an end is bounded too.
	c, err = Read(strings.NewReader("From x\n"+strings.Repeat("y", 3*MaxMessage)), func(Report) error { return nil })
	if err != nil || c != (Counts{1, 0, 1}) {
		t.Errorf("an endless line: %+v, %v", c, err)
	}
}

func TestManyRecipients(t *testing.T) {
	var b strings.Builder
	for i := range 3 * MaxRecipients {
		fmt.Fprintf(&b, "Final-Recipient: rfc822; u%d@member.example\nAction: failed\nStatus: 5.1.1\n\n", i)
	}
	got := Parse([]byte(strings.Replace(bounce, "Final-Recipient: rfc822; ben@member.example\n", b.String()+"Final-Recipient: rfc822; ben@member.example\n", 1)))
	if len(got) != MaxRecipients {
		t.Errorf("%d reports of one message, want at most %d", len(got), MaxRecipients)
	}
}

// FuzzRead: whatever comes is read to its end, within its limits.
func FuzzRead(f *testing.F) {
	f.Add([]byte(bounce))
	f.Add([]byte(crlf(bounce)))
	f.Add([]byte("From x\n" + bounce + "\nFrom y\n" + bounce))
	f.Add([]byte("Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n\n\nFinal-Recipient: a;b\n\n--b--"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		c, err := Read(strings.NewReader(string(b)), func(r Report) error {
			n++
			if strings.ContainsAny(r.Recipient+r.Action+r.Status+r.MessageID, "\r\n") {
				t.Fatalf("a report of several lines: %+v", r)
			}
			return nil
		})
		if err != nil || c.Reports > c.Messages || n > c.Messages*MaxRecipients {
			t.Fatalf("%+v, %d reports, %v", c, n, err)
		}
	})
}
