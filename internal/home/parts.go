package home

import (
	"encoding/json"
	"path/filepath"
)

// ConfigName is the file of a programme's folder that says what it is called, its
// public key, and where its last anchor is kept apart. Nothing in it is secret.
const ConfigName = configName

// Parse reads the content of a ConfigName that lies elsewhere than in a programme's
// folder, as in a backup. The Home has no folder: it tells constants alone.
func Parse(b []byte) (*Home, error) {
	c, err := parse(ConfigName, b)
	return &Home{Machine: Machine{}.filled(), config: c}, err
}

// Config is the content of ConfigName for the same programme in another place, with
// its last anchor kept in the folder outside; empty: where it was.
func (h *Home) Config(outside string) ([]byte, error) {
	c := h.config
	if outside != "" {
		c.Outside = outside
	}
	b, err := json.MarshalIndent(c, "", "  ")
	return append(b, '\n'), err
}

// Outside is the folder where the last anchors are kept apart.
func (h *Home) Outside() string { return h.config.Outside }

// SealerSocket is where the sealer's process is met; empty: it is a child process.
func (h *Home) SealerSocket() string { return h.config.Sealer }

// InquiryOutsideFile is where the inquiry's last anchor is kept apart.
func (h *Home) InquiryOutsideFile() string { return filepath.Join(h.config.Outside, inquiryOutside) }
