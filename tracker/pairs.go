package tracker

import (
	"bufio"
	"context"
	"encoding/json"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// pairs are the pairs of ETags that the results of a run reported. A bucket with KMS has one for
// every task, so they are kept compressed, by chunk of the run's tasks: some 45 bytes each.
type pairs struct {
	chunks map[int]*state.Text
}

func readPairs(ctx context.Context, store *state.Store, plan *state.Plan) (*pairs, error) {
	p := &pairs{chunks: map[int]*state.Text{}}
	if plan.Tasks == 0 {
		return p, nil
	}
	return p, store.EachTaskPair(ctx, plan.Run, func(pair state.TaskPair) error {
		chunk := int(pair.Seq) / state.ChunkTasks
		if p.chunks[chunk] == nil {
			p.chunks[chunk] = &state.Text{Block: pairsBlock}
		}
		line, err := json.Marshal(pair)
		if err == nil {
			_, err = p.chunks[chunk].Write(append(line, '\n'))
		}
		return err
	})
}

// pairsBlock is how much of each chunk is not compressed yet. A run of a million tasks has a
// hundred chunks.
const pairsBlock = 32 << 10

// ofChunk returns the pairs of a chunk's tasks, by seq.
func (p *pairs) ofChunk(chunk int) (map[uint32][]state.TaskPair, error) {
	text := p.chunks[chunk]
	if text == nil {
		return nil, nil
	}
	bySeq := map[uint32][]state.TaskPair{}
	lines := bufio.NewScanner(text.Reader())
	for lines.Scan() {
		var pair state.TaskPair
		if err := json.Unmarshal(lines.Bytes(), &pair); err != nil {
			return nil, err
		}
		bySeq[pair.Seq] = append(bySeq[pair.Seq], pair)
	}
	return bySeq, lines.Err()
}

// copies returns the pairs of an episode's tasks, by the keys that they have written.
func (p *pairs) copies(ctx context.Context, store *state.Store, plan *state.Plan, e state.EpisodePlan) (copies, error) {
	reported := copies{}
	end := e.FirstSeq + e.Tasks()
	for chunk := e.FirstSeq / state.ChunkTasks; chunk*state.ChunkTasks < end; chunk++ {
		bySeq, err := p.ofChunk(chunk)
		if err != nil {
			return nil, err
		}
		if bySeq == nil {
			continue
		}
		tasks, err := store.ReadTasks(ctx, plan.Run, chunk)
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			if seq := int(t.Seq); t.Dst == "" || seq < e.FirstSeq || seq >= end {
				continue
			}
			for _, pair := range bySeq[t.Seq] {
				reported[t.Dst] = append(reported[t.Dst], pair.Pair)
			}
		}
	}
	return reported, nil
}

// fillSources fills unknown source ETags from the latest version, where that has the same image at
// the same key.
func (c *checker) fillSources(ctx context.Context, e dataset.Episode, rows []version.Row) error {
	unknown := func(r version.Row) bool { return r.SrcETag == "" }
	if c.before == nil || !slices.ContainsFunc(rows, unknown) {
		return nil
	}
	earlier, err := c.before.Rows(ctx, e)
	if err != nil && !state.Lost(err) { // without its part they stay unknown
		return err
	}
	type copied struct {
		place dataset.Place
		frame dataset.Frame
		etag  string
	}
	sources := make(map[copied]string, len(earlier))
	for _, r := range earlier {
		sources[copied{r.Place, r.Frame, r.ETag}] = r.SrcETag
	}
	for i, r := range rows {
		if unknown(r) {
			rows[i].SrcETag = sources[copied{r.Place, r.Frame, r.ETag}]
		}
	}
	return nil
}
