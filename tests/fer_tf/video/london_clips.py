"""Clips with known people, drawn from the London faces, and how well they are kept.

python -m tests.fer_tf.video.london_clips --face_weights=FILE

prints what the table in trainers/README.md, "People in a video", sums up.

python -m tests.fer_tf.video.london_clips --face_weights=FILE --pairs=19 --write=out.mp4

does so of one clip: so many pairs, each for 32 seconds; and writes it as a video.
"""

import argparse
import pathlib

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from fer_tf.faces import FaceEmbedder, read_image
from fer_tf.predictor import MIN_FACE_SCORE, face_detector
from fer_tf.video.people import People
from fer_tf.video.tracking import Cuts, Tracker
from fer_tf.video.video_writer import VideoWriter

RATE, HEIGHT, WIDTH = 12, 216, 384
LONDON = pathlib.Path(__file__).parents[4] / "shared/data/london"

# A shot: seconds, background, and each person's place in it: who, from x to x (shares
# of the width), side of the photograph in pixels, and from when to when they are there.
CLIPS = {
    # Two people speak: both, one, the other, both from the other side.
    "dialogue": [
        (4, 0, [("a", 0.25, 0.28, 170, 0, 4), ("b", 0.75, 0.72, 170, 0, 4)]),
        (3, 1, [("a", 0.50, 0.52, 210, 0, 3)]),
        (3, 2, [("b", 0.50, 0.48, 210, 0, 3)]),
        (3, 1, [("a", 0.50, 0.47, 210, 0, 3)]),
        (3, 3, [("b", 0.30, 0.30, 150, 0, 3), ("a", 0.70, 0.72, 150, 0, 3)]),
    ],
    # Three cross each other; one leaves and comes back.
    "crossing": [
        (10, 4, [("b", 0.85, 0.15, 150, 0, 10), ("a", 0.15, 0.85, 190, 0, 10),
                 ("c", 0.50, 0.50, 140, 0, 2), ("c", 0.50, 0.45, 140, 6.5, 10)]),
        (4, 5, [("c", 0.30, 0.70, 170, 0, 4), ("b", 0.75, 0.25, 200, 0, 4)]),
    ],
    # One after the other at the same place before the same wall.
    "same place": [
        (2, 6, [(who, 0.5, 0.5, 190, 0, 2)]) for who in ("a", "b", "c", "a", "c", "b")
    ],
    # Four people by turns, with absences inside a shot.
    "group": [
        (4, 7, [(who, x, x, 150, 0, 4) for who, x in zip("abc", (0.18, 0.5, 0.82))]),
        (4, 8, [("d", 0.3, 0.35, 190, 0, 4), ("a", 0.75, 0.75, 160, 0, 1.2),
                ("a", 0.75, 0.75, 160, 3, 4)]),
        (4, 7, [(who, x, x, 150, 0, 4) for who, x in zip("bdc", (0.18, 0.5, 0.82))]),
        (4, 9, [("c", 0.3, 0.4, 190, 0, 4), ("d", 0.75, 0.7, 190, 0, 4)]),
    ],
}  # fmt: skip


def frames(shots, cast):
    """Yields `(image, {who: middle of the face})` of each frame.

    Args:
        shots: One of `CLIPS`.
        cast: Number of the London photographs of each letter.
    """
    photos = {w: (_photo("neutral", n), _photo("smiling", n)) for w, n in cast.items()}
    for seconds, background, places in shots:
        wall = _wall(background)
        count = round(seconds * RATE)
        for step in range(count):
            image, truth = wall.copy(), {}
            for who, start, end, side, come, go in places:
                if come <= step / RATE < go:
                    share = step / count
                    # The face begins to smile in the middle of each shot.
                    smile = np.clip((share - 0.4) * 5, 0, 1)
                    neutral, smiling = photos[who]
                    x = (start + share * (end - start)) * WIDTH
                    _paste(image, (1 - smile) * neutral + smile * smiling, x, side)
                    truth[who] = (x, HEIGHT - 0.5 * side)
            noise = np.random.default_rng(step).normal(0, 2, image.shape)
            yield np.clip(image + noise, 0, 255).astype(np.uint8), truth


def _photo(kind, number):
    """RGB and opacity of a photograph: head and shoulders, without the wall."""
    image = read_image(LONDON / kind / f"{number}.jpg")
    opaque = np.zeros(image.shape[:2], np.uint8)
    size = image.shape[0] / 512
    at = lambda *values: tuple(round(v * size) for v in values)
    cv2.ellipse(opaque, at(256, 245), at(125, 185), 0, 0, 360, 255, cv2.FILLED)
    cv2.ellipse(opaque, at(256, 540), at(225, 150), 0, 0, 360, 255, cv2.FILLED)
    opaque = cv2.GaussianBlur(opaque, (0, 0), 5 * size)
    return np.dstack([image, opaque]).astype(np.float32)


def _wall(seed):
    small = np.random.default_rng(seed).integers(60, 200, (3, 5, 3), dtype=np.uint8)
    wall = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return wall.astype(np.float32)


def _paste(image, photo, x, side):
    """Puts a photograph with its lower edge on the frame's, about x."""
    photo = cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)
    left, top = round(x - side / 2), HEIGHT - side
    first, last = max(0, left), min(WIDTH, left + side)
    photo = photo[max(0, -top) :, first - left : last - left]
    part = image[max(0, top) :, first:last]
    opaque = photo[..., 3:] / 255
    part[:] = part * (1 - opaque) + photo[..., :3] * opaque


def follow(shots, cast, ways):
    """Detects, tracks and names the faces of a clip.

    Args:
        ways: `People` by name, to which the frames are added.

    Returns:
        A list of `(frame, who, track)` of each face, and the number of faces that
        there were, hidden ones included.
    """
    detector, tracker, cuts = face_detector(MIN_FACE_SCORE), Tracker(), Cuts()
    found, there = [], 0
    for number, (image, truth) in enumerate(frames(shots, cast)):
        (faces,) = detector.detect([image])
        cut = cuts.at(image)
        faces = tracker.update(faces, number / RATE, cut=cut)
        there += len(truth)
        for people in ways.values():
            people.add(image, number / RATE, faces)
        for face in faces:
            x, y, w, h = face["box"]
            away = {who: np.hypot(x + w / 2 - a, y + h / 2 - b)
                    for who, (a, b) in truth.items()}  # fmt: skip
            who = min(away, key=away.get, default=None)
            found.append((number, who, face["track"]))
    return found, there


def score(found, persons):
    """Share of faces under the right person, switches, and number of persons.

    Each person that was found stands for at most one that there is, so that the
    share is largest.
    """
    named = [(who, persons[track]) for _, who, track in found]
    whos, numbers = (sorted({*column}, key=str) for column in zip(*named))
    counts = np.array([[named.count((w, n)) for n in numbers] for w in whos])
    right = counts[linear_sum_assignment(-counts)].sum() / len(named)
    switches = 0
    for who in whos:
        own = [number for other, number in named if other == who]
        switches += sum(a != b for a, b in zip(own, own[1:]))
    return right, switches, len({*numbers} - {None})


def casts(count, offset):
    """People by letter for each of `count` castings, drawn from every other number."""
    numbers = sorted(path.stem for path in (LONDON / "neutral").glob("*.jpg"))
    numbers = numbers[offset::2]
    rng = np.random.default_rng(0)
    for _ in range(count):
        yield dict(zip("abcd", rng.choice(numbers, 4, replace=False)))


def conversations(pairs, offset):
    """One clip: each pair has the dialogue twice; people by letter and number.

    Returns:
        Its shots and its cast, as `frames` takes them.
    """
    numbers = sorted(path.stem for path in (LONDON / "neutral").glob("*.jpg"))
    drawn = np.random.default_rng(0).choice(numbers[offset::2], (pairs, 2), False)
    cast = {
        f"{who}{n}": drawn[n, i] for n in range(pairs) for i, who in enumerate("ab")
    }
    shots = [
        (seconds, wall, [(f"{who}{n}", *place) for who, *place in places])
        for n in range(pairs)
        for seconds, wall, places in 2 * CLIPS["dialogue"]
    ]
    return shots, cast


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, help="one clip of so many pairs instead")
    parser.add_argument("--write", help="file for that clip")
    parser.add_argument("--face_weights")
    parser.add_argument("--castings", type=int, default=2)
    parser.add_argument("--offset", type=int, default=1, help="0: to choose by")
    args = parser.parse_args()
    embedder = FaceEmbedder(args.face_weights) if args.face_weights else None
    if args.pairs:
        shots, cast = conversations(args.pairs, args.offset)
        if args.write:
            with VideoWriter(args.write) as writer:
                for number, (image, _) in enumerate(frames(shots, cast)):
                    writer.write(image, number / RATE)
        report("conversations", shots, cast, embedder)
        return
    for cast in casts(args.castings, args.offset):
        for name, shots in CLIPS.items():
            report(name, shots, cast, embedder)


def report(name, shots, cast, embedder):
    """Prints a line for each way of knowing people."""
    there = len({place[0] for shot in shots for place in shot[2]})
    ways = {"looks": People()} | ({"embedding": People(embedder)} if embedder else {})
    found, faces = follow(shots, cast, ways)
    tracks = {track: track for _, _, track in found}
    rows = {"tracks": tracks}
    for way, people in ways.items():
        rows[way] = people.persons()
        rows[f"{way}, --people"] = people.persons(there)
    for way, persons in rows.items():
        right, switches, number = score(found, persons)
        print(
            f"| {name} | {there} | {len(found)} of {faces} | {way} | {number} "
            f"| {right:.1%} | {switches} |", flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
