package main

import (
	"forewarn/internal/cvd"
	"forewarn/internal/home"
	"forewarn/internal/wire"
)

type sealerCmd struct {
	Serve  sealerServe  `cmd:"" help:"Answer requests on standard input; the desk starts this."`
	Accept sealerAccept `cmd:"" help:"Accept a holder's new keys, at the sealer's machine."`
}

type sealerServe struct {
	Folder string `arg:"" help:"The sealer's folder." type:"existingdir"`
}

func (*sealerServe) Help() string {
	return "Example:\n  forewarn sealer serve programme/sealer"
}

func (c *sealerServe) Run(a *app) error {
	return home.ServeSealer(a, c.Folder, home.Machine{}, a.in, a.out)
}

type sealerAccept struct {
	Folder string `arg:"" help:"The sealer's folder." type:"existingdir"`
	Holder string `arg:"" help:"The holder's id, whole, as the refusal names it."`
	File   string `arg:"" help:"The .pub file, which the holder gave you by another way."`
}

func (*sealerAccept) Help() string {
	return `The sealer holds each holder to the keys that its copies were first sealed to: else whoever speaks for the desk could have any holder's very copy sealed to a key of its own. When a holder has new keys, a person at the sealer says so, after asking the holder.

Example:
  forewarn sealer accept programme/sealer 5k2q7r3m0000000000000000ab mia-new.key.pub`
}

func (c *sealerAccept) Run(a *app) error {
	id, err := wire.ParseID[cvd.Holder](c.Holder)
	if err != nil {
		return usage("%v", err)
	}
	pub, err := a.public(c.File)
	if err != nil {
		return err
	}
	if err := home.AcceptKeys(c.Folder, id, pub.Recipients); err != nil {
		return err
	}
	return a.done(fields{"holder": id, "recipients": pub.Recipients}, "From now on copies of holder %s are sealed to these keys. Go on with 'forewarn wave resume'.", id.Short())
}
