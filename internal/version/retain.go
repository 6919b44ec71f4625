package version

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Retain removes old versions and returns their generations. Of the versions up to the latest it
// keeps the newest keep and the tagged ones. With keep 0 it keeps all. Parts of a removed version
// stay in its folder until no version refers to them. Retain may stop at any step, and several
// processes may call it at the same time. The next call finishes the removal, even with a larger
// keep. When the tags cannot be read, it removes nothing.
//
// latest is the generation of the latest version when the caller read it. Only older versions are
// removed. After that version became the latest, the caller has checked that no run of a later
// generation had begun. That is why no lock is needed:
//
//	latest itself                  Its snapshot is read here. When a later retention has removed it, this call removes no part,
//	                               because later versions may need parts that only they name.
//	a version up to latest         Its snapshot is read here, unless the version is removed too.
//	a version after latest         Its run began after this version became the latest. So its parent is this version or a later
//	                               one. It refers to parts that this version refers to, which are kept, and to parts in
//	                               folders after latest, which are not touched.
//	a version up to latest that    Its writer was paused since before latest became the latest. It is as old as the removed
//	appears late                   versions. Its CSV files have its rows, and a later call removes it.
func Retain(ctx context.Context, s *state.Store, d state.Remover, latest int64, keep int) (removed []int64, err error) {
	if keep < 1 {
		return nil, nil
	}
	folders, err := listFolders(ctx, s)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(folders.names[latest], state.VersionFile) {
		return nil, nil // a later retention has removed it, and has newer information than this call
	}
	removing, err := markForRemoval(ctx, s, folders.generations, latest, keep)
	if err != nil {
		return nil, err
	}
	needed, unknown := folders.needed(ctx, s, removing)
	for _, g := range removing {
		gone, err := removeVersion(ctx, s, d, g, folders.names[g], func(name string) bool { return unknown != nil || needed[state.VersionName(g, name)] })
		if err != nil {
			return removed, fmt.Errorf("remove version %d: %w", g, err)
		}
		if gone {
			removed = append(removed, g)
		}
	}
	return removed, unknown
}

// folders lists all objects below versions/.
type folders struct {
	generations []int64            // newest first
	names       map[int64][]string // of the objects below each folder
}

func listFolders(ctx context.Context, s *state.Store) (f folders, err error) {
	f.names = map[int64][]string{}
	prefix := s.Layout.State() + "versions/"
	for page, err := range bucket.Pages(ctx, s.Bucket, bucket.ListInput{Prefix: prefix, KeysOnly: true}) {
		if err != nil {
			return f, err
		}
		for _, o := range page.Objects {
			folder, name, ok := strings.Cut(strings.TrimPrefix(o.Key, prefix), "/")
			g, err := strconv.ParseInt(folder, 10, 64)
			if !ok || err != nil {
				continue
			}
			if f.names[g] == nil {
				f.generations = append(f.generations, g)
			}
			f.names[g] = append(f.names[g], name)
		}
	}
	slices.Sort(f.generations)
	slices.Reverse(f.generations)
	return f, nil
}

// needed returns the parts to which the remaining versions refer. It fails when one of their
// snapshots cannot be read, because then the parts are unknown.
func (f folders) needed(ctx context.Context, s *state.Store, removing []int64) (needed map[string]bool, unknown error) {
	isPart := func(name string) bool { return strings.HasPrefix(name, partsFolder) }
	if !slices.ContainsFunc(removing, func(g int64) bool { return slices.ContainsFunc(f.names[g], isPart) }) {
		return nil, nil
	}
	of := make([]snapshot, len(f.generations))
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(snapshotsAtOnce)
	for i, generation := range f.generations {
		if slices.Contains(removing, generation) || !slices.Contains(f.names[generation], snapshotFile) {
			continue
		}
		g.Go(func() (err error) {
			of[i], err = readSnapshot(reading, s, generation)
			return err // also when another retention has just removed the version
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("keep the parts of removed versions, since it is not known which of them are needed: %w", err)
	}
	needed = map[string]bool{}
	for _, of := range of {
		for e, entry := range of.Episodes {
			needed[entry.object(e)] = true
		}
	}
	return needed, nil
}

// snapshotsAtOnce is the number of snapshots that are read at a time. Each has about 100 kB.
const snapshotsAtOnce = 8

// removeVersion deletes the objects of a version's folder except for the needed parts. It deletes
// version.json first, so that the rest does not count as a complete version. gone reports whether
// there was anything to delete.
func removeVersion(ctx context.Context, s *state.Store, d state.Remover, generation int64, names []string, needed func(name string) bool) (gone bool, err error) {
	folder := s.Layout.State() + state.VersionName(generation, "")
	keys := []string{folder + state.VersionFile}
	for _, name := range names {
		if name != state.VersionFile && !(strings.HasPrefix(name, partsFolder) && needed(name)) {
			keys = append(keys, folder+name)
		}
	}
	if len(keys) == 1 && !slices.Contains(names, state.VersionFile) {
		return false, nil
	}
	for _, some := range [][]string{keys[:1], keys[1:]} {
		for some := range slices.Chunk(some, bucket.MaxDeleteObjects) {
			failures, err := d.DeleteObjects(ctx, some)
			if err != nil {
				return false, err
			}
			if len(failures) > 0 {
				return false, failures[0]
			}
		}
	}
	return true, nil
}
