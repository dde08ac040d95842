package forewarn_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"

	"filippo.io/age"

	"forewarn"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/wire"
)

// What a member's program does with a copy that it fetched.
func Example() {
	identity, sealed, proof, programme := fetched()

	c, err := forewarn.OpenCopy(bytes.NewReader(sealed), identity)
	if err != nil {
		log.Fatal(err)
	}
	wave, err := forewarn.VerifyCopy(programme, c, proof)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("level", wave.Level, "opens", wave.OpensAt.Format("2006-01-02 15:04 MST"))
	for _, f := range c.Files {
		fmt.Println(f.Path)
	}
	receipt, err := forewarn.SignReceipt(programme, c, proof, signingKey)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("receipt of", len(receipt), "bytes")
	// Output:
	// level poc opens 2025-07-03 08:00 UTC
	// advisory.md
	// poc/request.txt
	// receipt of 224 bytes
}

// A copy with one word changed is not the one that was bound.
func ExampleVerifyCopy() {
	identity, sealed, proof, programme := fetched()
	c, err := forewarn.OpenCopy(bytes.NewReader(sealed), identity)
	if err != nil {
		log.Fatal(err)
	}
	c.Files[0].Data = bytes.Replace(c.Files[0].Data, []byte("The"), []byte("the"), 1)
	_, err = forewarn.VerifyCopy(programme, c, proof)
	fmt.Println(errors.Is(err, forewarn.ErrNotVerified))
	// Output: true
}

func ExampleOpenCopy() {
	_, sealed, _, _ := fetched()
	stranger, err := age.GenerateX25519Identity()
	if err != nil {
		log.Fatal(err)
	}
	_, err = forewarn.OpenCopy(bytes.NewReader(sealed), stranger)
	fmt.Println(errors.Is(err, forewarn.ErrIdentity))
	// Output: true
}

// What an auditor's program does with an entry that was opened to it.
func ExampleVerifyEntryProof() {
	c := evidencetest.New(3, 8)
	proof := c.Entry(0)
	entry, err := forewarn.VerifyEntryProof(
		forewarn.Log{Key: c.LogKey, Interval: evidencetest.Interval},
		wire.Marshal(&proof))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("kind", entry.Kind, "at", entry.Time.Format("2006-01-02 15:04 MST"), "anchored by", entry.Anchored.Format("15:04"))
	// Output: kind 22 at 2025-06-23 12:00 UTC anchored by 12:00
}

// What a tribunal's expert does with a dossier. The keys come from elsewhere:
// from the programme's site, a notary, an earlier receipt.
func ExampleVerifyDossier() {
	c := evidencetest.New(5, 60)
	dossier, err := c.Dossier(c.Leak(2), 2).Sign(c.Inquiry)
	if err != nil {
		log.Fatal(err)
	}
	report, err := forewarn.VerifyDossier(dossier, forewarn.Trust{LogKey: c.LogKey, InquiryKey: c.InquiryKey})
	for _, s := range report.Steps[:3] {
		fmt.Println(s.OK, s.Name)
	}
	fmt.Println("… of", len(report.Steps), "steps")
	fmt.Println(report.Statement)
	fmt.Println(err)
	// Output:
	// true file
	// true sections
	// true signature
	// … of 22 steps
	// By the rule fixed beforehand the material is traced to the copy issued to Member C in wave 1 or wave 2 (acknowledged by its holder).
	// <nil>
}
