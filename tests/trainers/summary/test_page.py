from trainers.summary import page


def test_a_page_says_how_faces_were_looked_for():
    model = {"weights": "0123456789abcdef", "min_face_score": 0.9, "every": 2}
    plain = page._origin(model)
    assert plain.endswith(
        "a score of 0.9 or more. Of videos 1 frame of 2; people known again by looks."
    )
    fewer = page._origin({**model, "smallest_face": 40.0, "search_every": 5})
    assert "a score of 0.9 or more and at least 40 pixels wide. Of videos" in fewer
    assert "1 frame of 2, of which 1 in 5 was searched for faces; people" in fewer
