package rows_test

import (
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

func ExampleRead() {
	limit, err := rows.ParseLimit("5%")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := rows.Read(sheet.Values{
		Title: "S01E01",
		Rows: [][]string{
			{"media.angel-nft.com/tuttle_twins/default_eng/v1/frames/thumbnails/", "Frame Number", "Unsupervised Classification", "Supervised Classification", "Jonny’s Reclassification"},
			{"", "TT_S01_E01_FRM-00-00-08-12", "Common", "", "legendary"},
			{"", "TT_S01_E01_FRM-00-00-08-13", "Common"},
			{"", "TT_S01_E01_FRM-00-00-08-13", "Common"},
		},
	}, rows.Options{
		Episode: "S01E01", BucketNames: []string{"media.angel-nft.com"}, Prefix: "tuttle_twins", ImageSize: "thumbnails",
		Classes: []string{"Junk", "Common", "Uncommon", "Rare", "Legendary"}, MaxBad: limit,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Base)
	for _, r := range s.Rows {
		fmt.Println(r.Row, r.Frame, r.Class)
	}
	for _, p := range s.Problems {
		fmt.Println(p.Row, p.Problem)
	}
	// Output:
	// tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/
	// 2 TT_S01_E01_FRM-00-00-08-12 Legendary
	// 3 TT_S01_E01_FRM-00-00-08-13 Common
	// 4 the frame stands in row 3 too, with the same class; counted once
}

func ExampleDecide() {
	header, err := rows.ReadHeader([]string{"FRAME NUMBER", "UNSUPERVISED CLASSIFICATION", "SUPERVISED CLASSIFICATION", "JONNY's RECLASSIFICATION"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rows.Decide(header, []string{"TT_S01_E01_FRM-00-00-08-12", "Junk", "Rare"}))
	// Output: Rare SUPERVISED CLASSIFICATION
}

func ExampleParseBase() {
	fmt.Println(rows.ParseBase("https://s3.us-west-2.amazonaws.com/media.angel-nft.com/tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/",
		[]string{"media.angel-nft.com"}, "tuttle_twins", "S01E01"))
	// Output: tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/ <nil>
}

func ExampleLimit_Exceeded() {
	limit, err := rows.ParseLimit("10%")
	fmt.Println(limit, limit.Exceeded(10, 100), limit.Exceeded(11, 100), err)
	// Output: 10% false true <nil>
}
