"""Loads a pulled folder with a library, as a user would, and prints what came of it as one JSON object: the labels of the images by
split and file, and the names of the labels by split.

usage: load.py datasets|torchvision|keras FOLDER [DATASET]...
"""

import importlib.util
import json
import os
import sys
import types


def load_datasets(folder):
    """The library of Hugging Face takes the whole folder, and finds the splits itself."""
    import datasets

    splits, names = {}, {}
    for name, split in datasets.load_dataset(folder).items():
        assert split[0]["image"].size == (2, 2), "the images do not decode"
        undecoded = split.cast_column("image", datasets.Image(decode=False))
        splits[name] = {os.path.basename(row["image"]["path"]): row["label"] for row in undecoded}
        names[name] = split.features["label"].names
    return splits, names


def load_torchvision(folder, wanted):
    """torchvision's own ImageFolder, on a stand-in for the class that it extends: the real one needs torch, a gigabyte."""

    import PIL.Image

    class VisionDataset:
        def __init__(self, root, transforms=None, transform=None, target_transform=None):
            self.root, self.transforms, self.transform, self.target_transform = root, transforms, transform, target_transform

    vision = types.ModuleType("torchvision.datasets.vision")
    vision.VisionDataset = VisionDataset
    sys.modules[vision.__name__] = vision
    found = importlib.util.find_spec("torchvision").submodule_search_locations[0]
    for name in ("torchvision", "torchvision.datasets"):
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(found, *name.split(".")[1:])]
        sys.modules[name] = package
    image_folder = importlib.import_module("torchvision.datasets.folder").ImageFolder

    splits, names = {}, {}
    for name in wanted:
        loaded = image_folder(os.path.join(folder, name), loader=PIL.Image.open, allow_empty=True)
        splits[name] = {}
        for i, (path, _) in enumerate(loaded.imgs):
            image, splits[name][os.path.basename(path)] = loaded[i]
            assert image.size == (2, 2), "the images do not decode"
        names[name] = loaded.classes
    return splits, names


def load_keras(folder, wanted):
    """Keras, here on JAX; datasets of TensorFlow's would need TensorFlow."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    splits, names = {}, {}
    for name in wanted:
        loaded = keras.utils.image_dataset_from_directory(
            os.path.join(folder, name), label_mode="int", format="grain", shuffle=False, batch_size=None, image_size=(2, 2), verbose=False
        )
        splits[name] = {}
        for path, (image, label) in zip(loaded.file_paths, loaded, strict=True):
            assert image.shape == (2, 2, 3), "the images do not decode"
            splits[name][os.path.basename(path)] = int(label)
        names[name] = loaded.class_names
    return splits, names


library, folder, *wanted = sys.argv[1:]
if library == "datasets":
    splits, names = load_datasets(folder)
else:
    splits, names = {"torchvision": load_torchvision, "keras": load_keras}[library](folder, wanted)
json.dump({"splits": splits, "names": names}, sys.stdout)
