import keras
import pytest
from keras import layers

from fer_tf.layers.attended_conv2d import AttendedConv2D
from fer_tf.layers.grouped_conv2d import GroupedConv2D
from fer_tf.layers.region_attention import RegionAttention
from fer_tf.models import MODELS, create_model
from fer_tf.models.resnext50 import resnext50
from fer_tf.models.se_resnet50 import se_resnet50
from fer_tf.utils.flops import flops_per_image


def model_of(layer, *shape):
    x = keras.Input(shape)
    return keras.Model(x, layer(x))


@pytest.mark.parametrize(
    "layer, shape, multiply_adds",
    [
        (layers.Conv2D(8, 3, padding="same"), (6, 4, 5), 6 * 4 * 9 * 5 * 8),
        (layers.Conv2D(8, 3, strides=2), (7, 5, 3), 3 * 2 * 9 * 3 * 8),
        (GroupedConv2D(8, 3, groups=4), (6, 6, 12), 4 * 4 * 9 * 3 * 8),
        (layers.DepthwiseConv2D(3), (6, 6, 5), 4 * 4 * 9 * 5),
        (layers.Conv2DTranspose(4, 2, strides=2), (3, 3, 5), 3 * 3 * 4 * 5 * 4),
        (layers.Dense(7), (5,), 5 * 7),
        (layers.Dense(7), (3, 5), 3 * 5 * 7),
        (layers.SimpleRNN(4), (3, 5), 3 * (5 * 4 + 4 * 4)),
        (layers.GRU(4), (3, 5), 3 * 3 * (5 * 4 + 4 * 4)),
        (layers.Bidirectional(layers.LSTM(4)), (3, 5), 2 * 3 * 4 * (5 * 4 + 4 * 4)),
        (layers.BatchNormalization(), (6, 6, 5), 0),
        (layers.MaxPooling2D(), (6, 6, 5), 0),
    ],
)
def test_by_hand(layer, shape, multiply_adds):
    assert flops_per_image(model_of(layer, *shape)) == 2 * multiply_adds


def test_attended_convolution_counts_as_one_over_full_size_planes():
    image, maps = keras.Input((8, 6, 1)), keras.Input((2, 2, 5))
    x = AttendedConv2D(4, combine="concat")([image, maps])
    model = keras.Model([image, maps], x)
    assert flops_per_image(model) == 2 * 8 * 6 * 9 * (1 + 5) * 4


def test_region_attention_counts_a_1x1_convolution_and_two_gates_a_region():
    inputs = [keras.Input(shape) for shape in ((3, 2, 32), (3, 2, 8), (8,))]
    model = keras.Model(inputs, RegionAttention(reduction=16)(tuple(inputs)))
    assert flops_per_image(model) == 2 * 8 * (3 * 2 * 32 * 32 + 32 * 2 + 2 * 32)


def test_shared_layers_and_inner_models_count_once_a_call():
    a, b = keras.Input((5,)), keras.Input((5,))
    inner = model_of(layers.Dense(3), 5)
    shared = layers.Dense(2)
    model = keras.Model([a, b], [shared(inner(a)), shared(inner(b)), keras.ops.relu(a)])
    assert flops_per_image(model) == 2 * 2 * (5 * 3 + 3 * 2)
    # A layer's calls in another model are not this one's.
    assert flops_per_image(inner) == 2 * 5 * 3
    assert flops_per_image(keras.Model(a, shared(inner(a)))) == 2 * (5 * 3 + 3 * 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "build, giga_multiply_adds, published",
    [
        # Each published figure includes a 1000-way classifier.
        (resnext50, 0.002048, 4.23),  # torchvision's table of weights
        (se_resnet50, 0.002048, 3.87),  # Hu et al., Table 2
    ],
)
def test_published_backbones(build, giga_multiply_adds, published):
    ours = flops_per_image(build(input_shape=(224, 224, 3))) / 2e9
    assert ours + giga_multiply_adds == pytest.approx(published, abs=0.01)


ONE_A_BUILDER = {variant.builder: name for name, variant in MODELS.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_A_BUILDER.values())
def test_every_model_can_be_counted(name):
    assert flops_per_image(create_model(name, width=0.125)) > 0


def test_refuses_what_it_cannot_count():
    with pytest.raises(ValueError, match="known size"):
        flops_per_image(model_of(layers.Conv2D(8, 3), None, None, 5))
    with pytest.raises(ValueError, match="Embedding"):
        flops_per_image(model_of(layers.Embedding(8, 3), 4))
    with pytest.raises(ValueError, match="functional"):
        flops_per_image(keras.Sequential([keras.Input((5,)), layers.Dense(3)]))
