package tracker_test

import (
	"testing"
	"testing/synctest"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Every task that was not plain success is a line, in the order of seq: dead, superseded, without a
// result, or of a source that changed after the plan.
func TestTasksCSV(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.published(runName(1), 1, 10)
		tasks, err := w.store.ReadTasks(t.Context(), plan.Run, 0)
		w.must(err)
		w.bucket.put(tasks[4].Src, "newer image")
		w.work(func(task messages.Task) *messages.Result {
			switch task.Seq {
			case 1:
				return &messages.Result{Seq: 1, Outcome: messages.Dead, Code: "=1+1", Error: `@SUM(A1), "quoted"` + "\nand more"}
			case 2:
				return &messages.Result{Seq: 2, Outcome: messages.Superseded}
			case 3, 6:
				return &messages.Result{Seq: task.Seq, Outcome: messages.Dead, Code: "AccessDenied", Error: "no"}
			case 5: // an ETag of its own, and the planned source
				return &messages.Result{Seq: 5, Outcome: messages.Copied, ETag: "sealed", SrcETag: task.SrcETag}
			}
			return nil
		})
		w.run(w.tracker())
		_, err = w.tracker().Redrive(t.Context(), plan.Run, []uint32{3, 6})
		w.must(err)
		w.work(func(task messages.Task) *messages.Result {
			if task.Seq == 6 {
				return nil // done this time: not a line
			}
			return &messages.Result{Seq: 7, Outcome: messages.Copied} // seq 3 gets none
		})
		_, err = w.tracker().Cancel(t.Context(), plan.Run)
		w.must(err)
		w.run(w.tracker())

		const ml, frames, frame = "tt/ML/", "tt/s01e01/frames/", "TT_S01_E01_FRM-00-00-00-0"
		want := "seq,op,frame,outcome,attempts,code,error,src,dst\n" +
			"1,copy," + frame + "1,dead,1,'=1+1,\"'@SUM(A1), \"\"quoted\"\"\nand more\"," + frames + frame + "1.jpg," + ml + "train/Rare/" + frame + "1.jpg\n" +
			"2,copy," + frame + "2,superseded,,,," + frames + frame + "2.jpg," + ml + "test/Common/" + frame + "2.jpg\n" +
			"3,copy," + frame + "3,open,,,," + frames + frame + "3.jpg," + ml + "train/Rare/" + frame + "3.jpg\n" +
			"4,copy," + frame + "4,copied,1,SourceChanged,the source image changed after the plan; its present content was copied," +
			frames + frame + "4.jpg," + ml + "train/Common/" + frame + "4.jpg\n"
		got, err := w.store.Read(t.Context(), state.RunName(plan.Run, state.TasksName))
		if err != nil || string(got.Body) != want {
			t.Errorf("got\n%swant\n%s%v", got.Body, want, err)
		}
	})
}

func TestTasksCSVOfPlainSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.published(runName(1), 1, 10)
		w.work(nil)
		w.run(w.tracker())
		got, err := w.store.Read(t.Context(), state.RunName(runName(1), state.TasksName))
		if err != nil || string(got.Body) != "seq,op,frame,outcome,attempts,code,error,src,dst\n" {
			t.Errorf("%s%v", got.Body, err)
		}
	})
}
