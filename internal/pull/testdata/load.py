"""Loads the folder named by the first argument as a user would, and prints what came of it as one JSON object."""

import json
import os
import sys

import datasets

loaded = datasets.load_dataset(sys.argv[1])
splits = {}
for name, split in loaded.items():
    assert split[0]["image"].size == (2, 2), "the images do not decode"
    undecoded = split.cast_column("image", datasets.Image(decode=False))
    splits[name] = {os.path.basename(row["image"]["path"]): row["label"] for row in undecoded}
names = {name: split.features["label"].names for name, split in loaded.items()}
json.dump({"splits": splits, "names": names}, sys.stdout)
