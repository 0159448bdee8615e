"""What a run of trainers.predict leaves, by hand."""

import json


def write(folder, records):
    """Writes lines of predictions: `(source, time, happiness of each face)`."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "predictions.jsonl", "w") as file:
        for source, time, shares in records:
            faces = [
                {"box": [0, 0, 9, 9], "probabilities": {"happiness": share},
                 "person": number}
                for number, share in enumerate(shares, 1)
            ]  # fmt: skip
            frame = None if time is None else round(25 * time)
            record = {"source": source, "frame": frame, "time": time, "faces": faces}
            file.write(json.dumps(record) + "\n")


# Ann is twice neutral, Cem never smiles; behind Bea stands somebody smaller.
PICTURES = [
    ("neutral/ann.jpg", None, [0.2]),
    ("neutral/more/ann.png", None, [0.4]),
    ("neutral/bea.jpg", None, [0.1, 0.99]),
    ("neutral/cem.jpg", None, [0.6]),
    ("smiling/ann.jpg", None, [0.9]),
    ("smiling/bea.jpg", None, [0.5]),
    ("smiling/wall.jpg", None, []),
]
