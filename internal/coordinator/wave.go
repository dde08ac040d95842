package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/sealer"
	"forewarn/internal/wire"
)

// AlphaPico is a package's allowance for false accusations, in 1e-12: over all
// its copies and all runs, one in a million.
const AlphaPico = 1_000_000

// copiesAnEntry bounds one CopiesStored entry.
const copiesAnEntry = 10_000

// Seal has an approved wave's copies made, stores them, and puts the wave's
// statement on the log. Nothing can be fetched before that. It can be run again
// after any failure: the sealer comes to the same commitments, and a wave that
// is sealed already only gets the parcels it misses. A desk that writes through
// another has that one do it.
func (d *Desk) Seal(ctx context.Context, id cvd.WaveID, progress func(done, all int)) error {
	if d.Through != nil {
		return errors.Join(d.Through.Seal(ctx, id, progress), d.Refresh(ctx))
	}
	d.sealing.Lock()
	defer d.sealing.Unlock()
	var q sealer.SealRequest
	var pkg cvd.PackageID
	var by cvd.Actor
	var sealed, done bool
	var bulk cvd.BlobRef                        // stored already, under the key that any sealing has
	sealedTo := map[cvd.HolderID]entrylog.Seq{} // the enrolment of each holder's keys
	err := d.View(func(p *cvd.Programme) error {
		w, ok := p.Waves[id]
		if !ok {
			return fmt.Errorf("wave %s: %w", id, cvd.ErrRefused)
		}
		sealed, done, bulk, pkg = w.Sealed != nil, w.Sealed != nil, w.Bulk, w.Package
		by = cvd.Actor{Account: p.Sealer, Auth: entrylog.AuthSystem}
		q = sealer.SealRequest{Wave: id, Revision: w.Revision, Level: w.Level, OpensAt: w.OpensAt, AlphaPico: p.Packages[w.Package].AlphaPico}
		for _, h := range w.Audience {
			keys, ok := p.KeysOf(h)
			if !ok && !sealed {
				return fmt.Errorf("%w: holder %s of wave %s has no keys in use: enrol them, or draft the wave anew without that holder", cvd.ErrRefused, h, id)
			}
			q.Holders = append(q.Holders, sealer.HolderKeys{Holder: h, Recipients: keys.Recipients})
			sealedTo[h] = keys.Seq
			// One holder without keys doesn't keep the others from theirs.
			if c := w.CopyOf(h); ok && (c == nil || c.Blob.IsZero() || c.Keys != keys.Seq) {
				done = false
			}
		}
		return nil
	})
	if err != nil || done {
		return err
	}
	// A crash may have kept the sealer from hearing of an earlier wave, or of this
	// one. It counts copies, so it must know of all that are on the log.
	var logged []cvd.WaveID
	if err := d.View(func(p *cvd.Programme) error {
		for _, w := range p.Packages[pkg].Waves {
			if p.Waves[w].Statement != nil {
				logged = append(logged, w)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for _, w := range logged {
		if err := d.Sealer.Confirm(ctx, pkg, w); err != nil {
			return fmt.Errorf("telling the sealer of wave %s: %w; nothing was sealed or sent", w, err)
		}
	}
	defer d.progress.Delete(id)
	var copies []cvd.StoredCopy
	result, err := d.Sealer.Seal(ctx, q, func(parcel sealer.Parcel) error {
		b := wire.Marshal(&parcel)
		ref, err := d.Blobs.Put(ctx, b)
		if err != nil {
			return err
		}
		copies = append(copies, cvd.StoredCopy{Holder: parcel.Opening.Holder, Leaf: parcel.Opening.Leaf(), Blob: ref, Size: uint64(len(b)), Keys: sealedTo[parcel.Opening.Holder]})
		d.progress.Store(id, len(copies))
		if progress != nil {
			progress(len(copies), len(q.Holders))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sealing wave %s: %w; the wave stays approved and nothing was sent", id, err)
	}
	if len(result.Bulk) > 0 && bulk.IsZero() {
		ref, err := d.Blobs.Put(ctx, result.Bulk)
		if err != nil {
			return err
		}
		bulk = cvd.BlobRef(ref)
	}
	if err := d.Blobs.Sync(ctx); err != nil {
		return err
	}
	if !sealed {
		if _, err := d.Do(ctx, by, cvd.RecordSealed{Statement: result.Statement}); err != nil {
			return err
		}
	}
	if err := d.Sealer.Confirm(ctx, pkg, id); err != nil {
		return fmt.Errorf("wave %s is on the log, and the sealer could not be told: %w; run 'forewarn wave resume'", id, err)
	}
	for some := range slices.Chunk(copies, copiesAnEntry) {
		if _, err := d.Do(ctx, by, cvd.StoreCopies{Wave: id, Bulk: bulk, Copies: some}); err != nil {
			return err
		}
	}
	return nil
}

// Resume does what the log says should have been done: it seals every wave that
// was approved and isn't sealed and stored yet, and every copy anew whose holder
// has replaced its keys since. It returns how many waves it sealed.
func (d *Desk) Resume(ctx context.Context, progress func(done, all int)) (n int, err error) {
	var todo []cvd.WaveID
	err = d.View(func(p *cvd.Programme) error {
		todo = append(p.Unsealed(), p.Stale()...)
		return nil
	})
	for _, id := range todo {
		if e := d.Seal(ctx, id, progress); e != nil {
			err = errors.Join(err, e)
			continue
		}
		n++
	}
	return n, err
}

// Delivery is what a holder receives: a plain age file, and the proof that it
// was committed to before it was sent.
type Delivery struct {
	Wave   cvd.WaveID
	Sealed []byte // age file of a tar
	Bulk   []byte // age file that all share; its key is inside Sealed. Empty when there is none
	Proof  evidence.CopyProof
}

// Fetch hands a holder's copy to one of its accounts. That it did so is durable
// before a byte is returned. Until the wave's statement is anchored it fails
// with ledger.ErrNotAnchored, whose error says when it will be.
func (d *Desk) Fetch(ctx context.Context, by cvd.Actor, id cvd.WaveID, holder cvd.HolderID) (Delivery, error) {
	out, err := d.delivery(ctx, by, id, holder, false)
	if err != nil {
		return out, err
	}
	if _, err := d.Do(ctx, by, cvd.Fetch{Wave: id, Holder: holder}); err != nil {
		return Delivery{Wave: id}, err
	}
	return out, nil
}

// ErrNotFetched: this account has no fetch of the last hour on the log.
var ErrNotFetched = errors.New("the copy was not fetched lately by this account")

// Fetched hands out again what an account fetched within the hour, for as long as
// it may. It puts nothing on the log, for the fetch that is there stands for it;
// without one it gives ErrNotFetched and not a byte.
func (d *Desk) Fetched(ctx context.Context, by cvd.Actor, id cvd.WaveID, holder cvd.HolderID) (Delivery, error) {
	return d.delivery(ctx, by, id, holder, true)
}

// delivery is what a holder receives. Again: only if another fetch by the account
// would be none of its own on the log.
func (d *Desk) delivery(ctx context.Context, by cvd.Actor, id cvd.WaveID, holder cvd.HolderID, again bool) (out Delivery, err error) {
	out.Wave = id
	var stored cvd.Copy
	var bulk cvd.BlobRef
	var pkg cvd.PackageID
	var seq entrylog.Seq
	// Decide first, so that who may not know of a wave learns nothing from
	// whether it is anchored.
	err = d.View(func(p *cvd.Programme) error {
		events, err := p.Decide(cvd.Fetch{Wave: id, Holder: holder}, by, d.at(p))
		if err != nil {
			return err
		}
		if again && len(events) > 0 {
			return ErrNotFetched
		}
		w := p.Waves[id]
		stored, bulk, pkg, seq = *w.CopyOf(holder), w.Bulk, w.Package, w.Sealed.Seq
		return nil
	})
	if err != nil {
		return out, err
	}
	if err := d.log.Tick(ctx); err != nil {
		return out, err
	}
	entry, err := d.log.Prove(ctx, seq)
	if err != nil {
		return out, err
	}
	key, err := d.waveKey(ctx, pkg, id)
	if err != nil {
		return out, err
	}
	b, err := d.Blobs.Get(ctx, stored.Blob)
	if err != nil {
		return out, fmt.Errorf("the stored copy %s: %w", stored.Blob, err)
	}
	var parcel sealer.Parcel
	if err := wire.Unmarshal(b, &parcel); err != nil {
		return out, fmt.Errorf("the stored copy %s: %w", stored.Blob, err)
	}
	if out.Sealed, err = d.Crypt.Unlock(key, [16]byte(holder), parcel.Locked); err != nil {
		return out, fmt.Errorf("the stored copy %s: %w", stored.Blob, err)
	}
	if !bulk.IsZero() {
		if out.Bulk, err = d.Blobs.Get(ctx, bulk); err != nil {
			return out, fmt.Errorf("the wave's bulk part %s: %w", bulk, err)
		}
	}
	o := parcel.Opening
	out.Proof = evidence.CopyProof{Holder: entrylog.Ref(o.Holder), LeafSalt: o.LeafSalt, KeyCommitment: o.KeyCommitment, Copy: o.Copy, Path: o.Path, Entry: entry}
	return out, nil
}

func (d *Desk) waveKey(ctx context.Context, pkg cvd.PackageID, id cvd.WaveID) ([32]byte, error) {
	if k, ok := d.waves.Load(id); ok {
		return k.([32]byte), nil
	}
	k, err := d.Sealer.WaveKey(ctx, pkg, id)
	if err == nil {
		d.waves.Store(id, k)
	}
	return k, err
}

// LodgeReceipt checks a receipt's signature, finds the copy that it is for among
// those of its holder, and puts it on the log.
func (d *Desk) LodgeReceipt(ctx context.Context, by cvd.Actor, holder cvd.HolderID, r *evidence.Receipt) (cvd.WaveID, error) {
	if err := r.Verify(); err != nil {
		return cvd.WaveID{}, err
	}
	var wave cvd.WaveID
	if err := d.checkAnchor(r); err != nil {
		return cvd.WaveID{}, err
	}
	err := d.View(func(p *cvd.Programme) error {
		for _, id := range p.WaveOrder {
			if c := p.Waves[id].CopyOf(holder); c != nil && c.Leaf == r.Leaf {
				wave = id
				return nil
			}
		}
		return fmt.Errorf("%w: the receipt is for no copy of this holder; nothing was recorded. Lodge it as an account of whoever signed it", cvd.ErrRefused)
	})
	if err != nil {
		return wave, err
	}
	_, err = d.Do(ctx, by, cvd.LodgeReceipt{Wave: wave, Holder: holder, Receipt: *r})
	return wave, err
}

// checkAnchor compares what a receipt says of the anchor log with the log. One
// that signs another history is worth more in its holder's hands than on this
// log: it is refused, and whoever reads that should look into it. Of a log before
// a declared recovery nothing can be compared any more.
func (d *Desk) checkAnchor(r *evidence.Receipt) error {
	_, now := d.log.Checkpoint()
	if r.Origin != now.Origin {
		return nil
	}
	then, err := d.log.CheckpointAt(r.AnchorSize)
	if err != nil || then.Root != r.AnchorRoot {
		return fmt.Errorf("%w: the receipt names an anchor log of size %d that this one never was; nothing was recorded. Keep the receipt: if it is genuine, somebody was shown another history", cvd.ErrRefused, r.AnchorSize)
	}
	return nil
}
