import json

from tests.fer_tf.export.small_models import needs_onnx


@needs_onnx
def test_names_travel_inside_the_onnx_file(exported):
    import onnxruntime

    model, folder = exported
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    inside = session.get_modelmeta().custom_metadata_map
    assert json.loads(inside["expressions"]) == list(model.card.expressions[:7])
    assert json.loads(inside["crop_spec"])["size"] == 48
    assert session.get_inputs()[0].shape == ["batch", 48, 48, 1]
