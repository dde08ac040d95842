// Package dsn reads the mails by which mail servers say that something could not be
// delivered: delivery status notifications (RFC 3464, in the envelope of RFC 6522),
// one message or an mbox of them (RFC 4155).
//
//	bytes ─► messages ─► multipart/report ─► message/delivery-status + the headers that came back ─► Report
//
// Anybody can write such a mail. What is read says what somebody wrote, no more:
// believe a Report only by the id of the message that came back, which only its sender
// and its receivers knew. Do not use it to read mail: it looks at nothing else, and
// what isn't a report is passed over.
package dsn

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"strings"
)

// Limits of what is read. What is above them is passed over, and counted.
const (
	MaxMessage    = 1 << 20 // bytes of one message
	MaxRecipients = 1_000   // of one message
	maxParts      = 20
)

// Report is one recipient's line of a notification.
type Report struct {
	MessageID string // of the message that came back, without its angle brackets; "": it isn't told
	Recipient string // as the server wrote it; may be anything
	Action    string // "failed", "delayed", "delivered", "relayed", "expanded"
	Status    string // "5.1.1"
}

// Permanent reports whether it says that the message won't be delivered.
func (r *Report) Permanent() bool {
	return strings.EqualFold(r.Action, "failed") && strings.HasPrefix(r.Status, "5.")
}

// Counts is what was read.
type Counts struct {
	Messages int // all
	Reports  int // of them notifications that could be read
	TooLong  int // of them passed over because of their size
}

// Read reads one message or an mbox to its end, and calls yield for each recipient of
// each notification, in order. Errors are those of reading, and of yield.
func Read(r io.Reader, yield func(Report) error) (c Counts, err error) {
	err = split(r, func(message []byte, whole bool) error {
		c.Messages++
		if !whole {
			c.TooLong++
			return nil
		}
		reports := Parse(message)
		if reports != nil {
			c.Reports++
		}
		for _, x := range reports {
			if err := yield(x); err != nil {
				return err
			}
		}
		return nil
	})
	return c, err
}

// split cuts an mbox into its messages: each begins with a line "From …", at the
// start or after an empty line. Bytes without such a line are one message.
func split(r io.Reader, each func(message []byte, whole bool) error) error {
	in := bufio.NewReaderSize(r, 64<<10)
	var message []byte
	whole, empty, begun, fresh := true, true, false, true // fresh: at the beginning of a line
	end := func() error {
		if len(bytes.TrimSpace(message)) == 0 && whole {
			return nil
		}
		err := each(message, whole)
		message, whole = nil, true
		return err
	}
	for {
		line, err := in.ReadSlice('\n') // a longer line comes in pieces
		if len(line) > 0 {
			if fresh && empty && bytes.HasPrefix(line, []byte("From ")) {
				if begun {
					if err := end(); err != nil {
						return err
					}
				}
				begun = true
			} else {
				begun = true
				if whole = whole && len(message)+len(line) <= MaxMessage; whole {
					message = append(message, line...)
				} else {
					message = nil
				}
			}
			empty = fresh && len(bytes.TrimRight(line, "\r\n")) == 0
			fresh = line[len(line)-1] == '\n'
		}
		switch {
		case err == nil || errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return end()
		default:
			return err
		}
	}
}

// Parse reads one message. It gives nil for what is no notification, and at most
// MaxRecipients reports.
func Parse(message []byte) (out []Report) {
	m, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		return nil
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || !strings.EqualFold(params["report-type"], "delivery-status") || params["boundary"] == "" {
		return nil
	}
	id := ""
	parts := multipart.NewReader(m.Body, params["boundary"])
	for range maxParts {
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			continue
		}
		var body io.Reader = part
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "base64") {
			body = base64.NewDecoder(base64.StdEncoding, part)
		}
		switch kind {
		case "message/delivery-status", "message/global-delivery-status":
			out = append(out, recipients(body)...)
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			if h, err := textproto.NewReader(bufio.NewReader(body)).ReadMIMEHeader(); id == "" && (err == nil || errors.Is(err, io.EOF)) {
				id = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(h.Get("Message-Id")), "<"), ">")
			}
		}
	}
	for i := range out {
		out[i].MessageID = id
	}
	return out[:min(len(out), MaxRecipients)]
}

// recipients reads the groups of fields of a delivery-status part: the first is of the
// message, each other of one recipient (RFC 3464 section 2.1).
func recipients(body io.Reader) (out []Report) {
	in := textproto.NewReader(bufio.NewReader(body))
	for group := 0; len(out) < MaxRecipients; group++ {
		h, err := in.ReadMIMEHeader()
		if to := after(h.Get("Final-Recipient")); to != "" {
			if original := after(h.Get("Original-Recipient")); original != "" {
				to = original
			}
			out = append(out, Report{Recipient: to, Action: strings.ToLower(strings.TrimSpace(h.Get("Action"))), Status: status(h.Get("Status"))})
		}
		if err != nil || len(h) == 0 && group > MaxRecipients {
			return out
		}
	}
	return out
}

// after is what stands after the type in "rfc822; ben@example.com".
func after(s string) string {
	_, value, ok := strings.Cut(s, ";")
	if !ok {
		return ""
	}
	return strings.TrimSpace(value)
}

// status is the code at the beginning of "5.1.1 (no such user)".
func status(s string) string {
	var a, b, c int
	if n, _ := fmt.Sscanf(strings.TrimSpace(s), "%1d.%3d.%3d", &a, &b, &c); n != 3 {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", a, b, c)
}
