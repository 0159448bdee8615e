"""`trainers.predict --serve`: a local page for a photograph, webcam or clip.

Gradio (extra `web`) draws the page, and a `fer_tf.Predictor` reads the faces. Pictures
are decoded by `fer_tf.faces.read_image` alone. Uploads are limited in bytes, pixels,
frames and seconds, and one is read at a time. They lie in a private folder that is
removed with the page.
"""

import contextlib
import importlib.util
import logging
import os

from fer_tf.utils.stderr import quiet_imports
from trainers.common import local_server
from trainers.web_page import guard, looks, scratch

# Listeners of Gradio that name the same queue share it.
_ONE_AT_A_TIME = "reader"


def serve(
    model: str | None,
    *,
    host: str,
    port: int,
    min_face_score: float | None = None,
    people: int | None = None,
    face_weights: str | None = None,
) -> None:
    """Opens the page, and serves it until Ctrl-C or a signal ends it.

    Args:
        model: What `fer_tf.load` takes.
        host: Address to listen on.
        port: Port there; 0 takes a free one.
        min_face_score: See `fer_tf.Predictor`; None for its default.
        people: How many people a clip shows, unless the page is told otherwise; None
            if that is not known.
        face_weights: File by which people in a clip are known again; see
            `fer_tf.faces.FaceEmbedder`. None: by their looks.

    Raises:
        ValueError: If Gradio is not installed, or the file is another one.
        OSError: If the port is in use, or the address is not this machine's.
    """
    if importlib.util.find_spec("gradio") is None:
        raise ValueError(
            "the page needs Gradio, the extra `web`: pip install -e '.[web]'"
        )
    with local_server.listening(host, port) as listener:
        # Only now, since a port that is in use is refused at once.
        with quiet_imports():
            from fer_tf.faces import FaceEmbedder
            from fer_tf.predictor import MIN_FACE_SCORE, Predictor
        score = min_face_score or MIN_FACE_SCORE
        embedder = FaceEmbedder(face_weights) if face_weights else None
        predictor = Predictor(model, min_face_score=score)
        with scratch.private() as folder:
            page = build(predictor, folder, people=people, embedder=embedder)
            server = _server(page, host, folder)
            address = local_server.address(host, listener.getsockname()[1])
            print(f"serving {address}, Ctrl-C ends it", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                server.run(sockets=[listener])


def build(predictor, folder: str, *, people: int | None = None, embedder=None):
    """Returns the page as `gradio.Blocks`.

    Args:
        predictor: A `fer_tf.Predictor`.
        folder: Where uploads and results lie; see `scratch.private`.
        people: See `serve`.
        embedder: A `fer_tf.faces.FaceEmbedder`, to know people by their faces.
    """
    # Gradio's own folder can be read by every user of this machine, and stays.
    os.environ["GRADIO_TEMP_DIR"] = folder
    # By default Gradio reports every start to its makers, and has the browser keep
    # every reading.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("GRADIO_RUN_HISTORY", "False")
    import gradio as gr

    from trainers.web_page.reader import Reader

    reader = Reader(predictor, folder, embedder)
    hour = 3600
    with gr.Blocks(
        title="fer-tf", analytics_enabled=False, delete_cache=(hour, hour)
    ) as page:
        gr.Markdown(
            f"# Emotion in faces\nModel `{predictor.card.model}`. A reading is what "
            "a face shows to a network that learned from labelled pictures; it is not "
            "what somebody feels."
        )
        with gr.Tab("Photograph"):
            _photograph_tab(gr, reader)
        with gr.Tab("Clip"):
            _clip_tab(gr, reader, people)
    return page


def _server(page, host, folder):
    """The server of the page, behind its guard."""
    import fastapi
    import gradio
    import uvicorn

    page.queue(max_size=16, default_concurrency_limit=1)
    app = gradio.mount_gradio_app(
        fastapi.FastAPI(openapi_url=None), page, path="/", footer_links=[],
        max_file_size=guard.MAX_UPLOAD, ssr_mode=False,
        theme=gradio.themes.Default().set(**looks.COLORS), css=looks.CSS,
    )  # fmt: skip
    # Gradio checks that a file was uploaded only on pages that it launched itself.
    page.has_launched = True
    guarded = guard.Guard(app, host=host, folder=folder)

    class Server(uvicorn.Server):
        async def shutdown(self, sockets=None):
            # Open pages keep connections, which are cut now. That is no error.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            await super().shutdown(sockets)

    config = uvicorn.Config(guarded, log_level="warning", timeout_graceful_shutdown=1)
    return Server(config)


def _photograph_tab(gr, reader):
    model, name = reader.predictor.model, "valence_arousal"
    dimensional = name in model.output and model.card.reads(name)
    with gr.Row():
        photo = gr.Image(
            type="filepath", sources=["upload", "webcam", "clipboard"],
            label="photograph", alt_text="The photograph", elem_id="photo",
        )  # fmt: skip
        # No panel is shown before there is something in it.
        with gr.Column(visible=False) as seen:
            drawn = _picture(gr, "faces", elem_id="drawn")
    sentence = gr.Markdown(elem_id="said")
    with gr.Column(visible=False) as read:
        gr.Markdown(
            "## What was read\nColours show where the model looked (Grad-CAM). The "
            "numbers are explained in `trainers/prediction/README.md`."
        )
        cards = gr.HTML(elem_id="looked")
        plane = _picture(gr, "circumplex", visible=dimensional)
        file = gr.File(label="the readings as CSV", elem_id="csv")

    def answer(upload):
        picture, said, about, plane, cards, file = reader.photo(upload)
        return (
            gr.update(value=picture, alt_text=f"The photograph: {about}"), said,
            gr.update(value=plane, alt_text=f"Valence and arousal: {about}"), cards,
            file, gr.update(visible=picture is not None), gr.update(visible=bool(file)),
        )  # fmt: skip

    photo.change(
        answer, photo, [drawn, sentence, plane, cards, file, seen, read],
        api_name="photo", concurrency_id=_ONE_AT_A_TIME,
        # Else Gradio opens the picture with any of Pillow's decoders.
        preprocess=False,
    )  # fmt: skip


def _clip_tab(gr, reader, people):
    with gr.Row():
        clip = gr.Video(sources=["upload", "webcam"], label="clip",
                        elem_id="clip")  # fmt: skip
        with gr.Column(visible=False) as seen:
            played = gr.Video(label="faces", elem_id="played")
    with gr.Row():
        every = gr.Slider(1, 10, 2, step=1, label="read every n-th frame")
        count = gr.Number(people or 0, label="people in the clip; 0: not known",
                          minimum=0, precision=0, elem_id="people")  # fmt: skip
    start = gr.Button("Read the clip", variant="primary")
    status = gr.Markdown()
    with gr.Column(visible=False) as read:
        spans = _picture(gr, "each person over time", elem_id="spans")
        lines = gr.File(label="the readings as CSV")

    def answer(path, every, count):
        played, said, timeline, lines = reader.clip(path, every, count or None)
        about = f"What each person showed over time. {said}"
        timeline = gr.update(value=timeline, alt_text=about)
        shown = gr.update(visible=True)
        return played, said, timeline, lines, shown, shown

    start.click(
        answer, [clip, every, count], [played, status, spans, lines, seen, read],
        api_name="clip", concurrency_id=_ONE_AT_A_TIME,
    )  # fmt: skip


def _picture(gr, label, **options):
    """A picture that the page made."""
    return gr.Image(label=label, format="png", interactive=False,
                    buttons=["download", "fullscreen"], elem_classes="made",
                    **options)  # fmt: skip
