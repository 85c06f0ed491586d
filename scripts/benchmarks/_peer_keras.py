"""Trains `mnist-2m` in Keras with TensorFlow; started by `bench train` in its own environment.

Arguments: an .npz with `images` and `labels`, the batch size.
"""

import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402
import numpy as np  # noqa: E402


def main() -> None:
    """Reports a rate for every line on stdin: one pass over the images."""
    with np.load(sys.argv[1]) as file:
        images, labels = file["images"], keras.utils.to_categorical(file["labels"], 10)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy")
    for _ in sys.stdin:
        start = time.perf_counter()
        model.fit(images, labels, batch_size=int(sys.argv[2]), epochs=1, verbose=0)
        rate = len(images) / (time.perf_counter() - start)
        print(json.dumps({"rate": rate, "parameters": model.count_params()}), flush=True)


main()
