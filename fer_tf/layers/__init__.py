"""Keras layers of the papers' networks, and of the way from crops to readings."""

from fer_tf.layers.attended_conv2d import AttendedConv2D
from fer_tf.layers.batch_normalization import BatchNormalization
from fer_tf.layers.bilinear_resize import BilinearResize
from fer_tf.layers.channel_pool import ChannelPool
from fer_tf.layers.color_normalization import ColorNormalization
from fer_tf.layers.crop_views import CropViews, MeanOverViews
from fer_tf.layers.grouped_conv2d import GroupedConv2D
from fer_tf.layers.padded_add import PaddedAdd
from fer_tf.layers.pixel_scaling import PixelScaling
from fer_tf.layers.plane_normalization import PlaneNormalization
from fer_tf.layers.region_attention import RegionAttention
from fer_tf.layers.small_map_conv2d import SmallMapConv2D
from fer_tf.layers.stop_gradient import StopGradient
from fer_tf.layers.uncertainty_weighting import UncertaintyWeighting

__all__ = [
    "AttendedConv2D",
    "BatchNormalization",
    "BilinearResize",
    "ChannelPool",
    "ColorNormalization",
    "CropViews",
    "GroupedConv2D",
    "MeanOverViews",
    "PaddedAdd",
    "PixelScaling",
    "PlaneNormalization",
    "RegionAttention",
    "SmallMapConv2D",
    "StopGradient",
    "UncertaintyWeighting",
]
