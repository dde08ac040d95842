package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"

	"forewarn/internal/folder"
	"forewarn/internal/smtp"
)

// mailFlags say how notices leave by mail.
type mailFlags struct {
	SMTP     []string `name:"smtp" help:"Hand notices to this mail server; say it again for the next, which is asked when one fails. smtps:// for TLS from the first byte; else STARTTLS, which only this machine's own may lack." placeholder:"smtp://[USER@]HOST[:PORT]" sep:"none"`
	MailFrom string   `name:"mail-from" help:"Who notices are from, and where bounces go." env:"FOREWARN_MAIL_FROM" placeholder:"ADDRESS"`
	Password []string `name:"smtp-password-file" help:"A file that only you can read, with the mail server's password; one for all, or one for each server with a user. Or FOREWARN_SMTP_PASSWORD in the environment." placeholder:"FILE" type:"path" sep:"none"`
}

// post is the way to the mail servers, and nil where none is named. origin is what
// browsers call the desk.
func (c *mailFlags) post(a *app, origin string, note func(string, ...any)) (*smtp.Post, error) {
	if len(c.SMTP) == 0 {
		if c.MailFrom != "" && os.Getenv("FOREWARN_MAIL_FROM") == "" || len(c.Password) > 0 {
			return nil, usage("mail needs a server: --smtp smtp://[USER@]HOST[:PORT]")
		}
		return nil, nil
	}
	if c.MailFrom == "" {
		return nil, usage("say who notices are from: --mail-from ADDRESS")
	}
	conf := smtp.Config{From: c.MailFrom, Link: strings.TrimSuffix(origin, "/") + "/home", Note: note}
	users := 0
	for _, s := range c.SMTP {
		r, err := smtp.ParseRelay(s)
		if err != nil {
			return nil, usage("--smtp: %v", err)
		}
		if r.User != "" {
			if r.Password, err = c.password(a, users); err != nil {
				return nil, err
			}
			users++
		}
		conf.Relays = append(conf.Relays, r)
	}
	if n := len(c.Password); n > 1 && n != users || n == 1 && users == 0 {
		return nil, usage("%d password files for %s with a user: give one for all, or one for each", n, count(users, "mail server", "mail servers"))
	}
	p, err := smtp.New(conf)
	if err != nil {
		return nil, usage("%v", err)
	}
	return p, nil
}

// password is that of the nth server with a user.
func (c *mailFlags) password(a *app, n int) (string, error) {
	if len(c.Password) == 0 {
		s, ok := os.LookupEnv("FOREWARN_SMTP_PASSWORD")
		if !ok {
			return "", usage("a mail server with a user needs a password: --smtp-password-file FILE, or FOREWARN_SMTP_PASSWORD in the environment")
		}
		return s, nil
	}
	name := c.Password[min(n, len(c.Password)-1)]
	if info, err := os.Stat(name); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%w: %q can be read by other accounts; find out who read it, then run: chmod 600 %q", folder.ErrExposed, name, name)
	}
	b, err := a.read(name, 4096)
	return strings.TrimRight(string(b), "\r\n"), err
}

// originOf is what browsers call a desk that listens at an address, where nobody said
// another name.
func originOf(origin, listen string) string {
	if origin != "" {
		return origin
	}
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		port = "8443"
	}
	return "http://localhost:" + port
}
