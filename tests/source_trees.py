"""The smallest whole tree of each owner's layout: two or three pictures.

Each function writes one and returns `(data set, a label file, a picture)`; `names` are
what the label file calls its first two pictures, where it names them. `listed` reads
a tree.
"""

import os

import cv2
import numpy as np

from data_pipelines.sources import Reject, Sample, open_source

MARKS = ";".join(f"{value}.5" for value in range(136))
GRID = "".join(f"{k} {2 * k}\n" for k in range(68))
AFFECTNET = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    "expression,valence,arousal"
)
PIXELS = " ".join(["7", "9"] * 1152)
VOTES = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def put(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def listed(dataset, root):
    """A source, its samples and its rejects."""
    source = open_source(dataset, str(root))
    rows = list(source.rows())
    kept = [row for row in rows if isinstance(row, Sample)]
    return source, kept, [row for row in rows if isinstance(row, Reject)]


def picture(root, path, side=48):
    image = np.eye(side, dtype=np.uint8) * 200
    put(root, path, cv2.imencode(".png", image)[1].tobytes())


def npy(root, path, value):
    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
    np.save(os.path.join(root, path), value)


def fer2013(root, names):
    rows = [f"3,{PIXELS},Training", f"0,{PIXELS},PrivateTest"]
    put(root, "fer2013.csv", "\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return "fer2013", "fer2013.csv", None


def fer2013_folders(root, names):
    for path in ("train/happy/Training_1.png", "test/sad/PublicTest_2.png"):
        picture(root, path)
    return "fer2013", None, "train/happy/Training_1.png"


def ferplus(root, names):
    rows = [f"Training,{names[0]},9,0,0,0,1,0,0,0,0,0",
            f"PrivateTest,{names[1]},0,8,2,0,0,0,0,0,0,0"]  # fmt: skip
    put(root, "fer2013new.csv", "\n".join([f"Usage,Image name,{VOTES}", *rows]) + "\n")
    fer2013(root, names)
    return "ferplus", "fer2013new.csv", None


def ferplus_folders(root, names):
    for folder, name in zip(("FER2013Train", "FER2013Test"), names):
        picture(root, f"{folder}/a.png")
        picture(root, f"{folder}/b.png")
        put(
            root,
            f"{folder}/label.csv",
            f'{name},"(0, 0, 48, 48)",9,0,0,0,1,0,0,0,0,0\n',
        )
    return "ferplus", "FER2013Train/label.csv", "FER2013Train/a.png"


def affectnet(root, names):
    row = lambda name: f"{name},1,2,30,40,{MARKS},1,0.5,-0.25"
    put(root, "training.csv", f"{AFFECTNET}\n{row(names[0])}\n{row(names[1])}\n")
    put(root, "validation.csv", row("c.png") + "\n")
    for name in "abc":
        picture(root, f"Manually_Annotated_Images/{name}.png")
    return "affectnet", "training.csv", "Manually_Annotated_Images/a.png"


def affectnet_npy(root, names):
    for folder, key in (("train_set", 0), ("train_set", 1), ("val_set", 0)):
        picture(root, f"{folder}/images/{key}.jpg")
        for what, value in (("exp", np.array("3")), ("val", 0.5), ("aro", -0.5),
                            ("lnd", np.arange(136.0))):  # fmt: skip
            npy(root, f"{folder}/annotations/{key}_{what}.npy", value)
    return "affectnet", "train_set/annotations/0_exp.npy", "train_set/images/0.jpg"


def affwild2(root, names):
    for task, lines in (
        ("VA_Set", ["valence,arousal", "0.5,0.5", "-5,-5", "0.1,-0.2"]),
        ("AU_Set", ["AU1,AU2", "0,1", "1,1", "-1,-1"]),
    ):
        put(root, f"annotations/{task}/Training_Set/v.txt", "\n".join(lines) + "\n")
    for number in (1, 2, 3):
        picture(root, f"cropped_aligned/v/{number:05d}.jpg")
    label = "annotations/VA_Set/Training_Set/v.txt"
    return "affwild2", label, "cropped_aligned/v/00001.jpg"


def rafdb(root, names):
    text = f"{names[0]} 1\n{names[1]} 7\n"
    put(root, "basic/EmoLabel/list_patition_label.txt", text)
    for stem in ("train_00001", "test_0001"):
        picture(root, f"basic/Image/original/{stem}.jpg")
        put(
            root,
            f"basic/Annotation/auto/{stem}_auto_attri.txt",
            GRID[: GRID.index("37 ")],
        )
    return (
        "rafdb", "basic/EmoLabel/list_patition_label.txt",
        "basic/Image/original/train_00001.jpg",
    )  # fmt: skip


def ckplus(root, names):
    for frame in (1, 2, 3):
        stem = f"S005/001/S005_001_0000000{frame}"
        picture(root, f"cohn-kanade-images/{stem}.png")
        put(root, f"Landmarks/{stem}_landmarks.txt", GRID)
    put(root, f"Emotion/{stem}_emotion.txt", "   3.0000000e+00\n")
    put(root, f"FACS/{stem}_facs.txt", "   4.0e+00   5.0e+00\n")
    return (
        "ckplus", f"Emotion/{stem}_emotion.txt",
        "cohn-kanade-images/S005/001/S005_001_00000001.png",
    )  # fmt: skip


def folder(root, names):
    picture(root, "train/happy/a.png")
    picture(root, "test/sad/b.png")
    return "folder", None, "train/happy/a.png"


def facenonface(root, names):
    picture(root, "face/a.png")
    picture(root, "nonface/b.png")
    return "facenonface", None, "face/a.png"


def table(root, names):
    rows = [f"{names[0]},fear,0.5,0,1,anna", f"{names[1]},anger,-1,1,0,ben"]
    header = "path,expression,valence,arousal,AU1,subject"
    put(root, "labels.csv", "\n".join([header, *rows]))
    picture(root, "a.png")
    picture(root, "b.png")
    return "csv", "labels.csv", "a.png"


TREES = [
    fer2013, fer2013_folders, ferplus, ferplus_folders, affectnet, affectnet_npy,
    affwild2, rafdb, ckplus, folder, facenonface, table,
]  # fmt: skip
LABELLED = [t for t in TREES if t not in (fer2013_folders, folder, facenonface)]
"""Those with a label file."""

NAMED = [ferplus, ferplus_folders, affectnet, rafdb, table]
"""Those whose label file names pictures."""
