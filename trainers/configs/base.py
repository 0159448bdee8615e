"""Every key that a config may hold, with the value it has unless it says so."""

from ml_collections import ConfigDict


def get_config() -> ConfigDict:
    """Returns the defaults, locked; a table row's config changes what is its own.

    A part that differs in its keys (`objective`, a schedule) is replaced whole.
    """
    config = ConfigDict()
    config.seed = 0
    # XLA: "auto" is on with a GPU and off without; on CPU it is much slower.
    config.jit_compile = "auto"
    # Keras' policy, or "auto": the one that trains faster on the machine, or that the
    # run began with (`trainers.training.precision`). The papers' rows are float32.
    config.dtype_policy = "float32"
    # Bit-identical runs, at some cost in speed.
    config.deterministic = False
    # auto: several hosts by TF_CONFIG, else all GPUs, else one device; or one,
    # mirrored, multi_worker. `batch_size` is that of all of them together.
    config.strategy = "auto"
    # Batch normalisation over all replicas: numbers then do not depend on theirs.
    config.synchronize_batch_norm = True
    # Parts that a batch goes through the model in, where it does not fit at once.
    config.micro_batches = 1
    # Evaluate and keep a running average of the weights; 0: the weights themselves.
    config.ema_decay = 0.0

    config.model = ConfigDict(dict(name="", arguments=ConfigDict()))
    # Submodel -> workdir or model folder whose weights it begins with.
    config.submodels = ConfigDict()
    # Published weights that the model begins with: `vgg_face` or `vggface2`, the
    # file, and the sha256 it must have ("": any). Without a format: from scratch.
    config.published = ConfigDict(dict(format="", path="", sha256=""))

    # Records are brought to `size` and `color`; the model sees a window of them.
    config.input = ConfigDict(dict(size=48, color="grey", window=44))
    config.augment = ConfigDict(
        dict(crop=True, flip=True, degrees=0.0, zoom=0.0, shift=0.0, erase=0.0)
    )
    # Examples of an epoch (`data_pipelines.batches.sampling`): "all"; "up", every class
    # as often as the largest; "down", at most `limit` of a class, always the same;
    # "videos", at most `limit` frames of a video, others each epoch.
    config.sampling = ConfigDict(dict(name="all", limit=0))
    # Weigh the loss of an expression by the inverse frequency of its class.
    config.class_weights = False
    # Blend pictures in pairs by Beta(mixup, mixup); 0: none.
    config.mixup = 0.0
    # Train on folders that were cropped by different recipes; the first one's is
    # then the model's.
    config.mixed_crops = False
    # Targets of RASnet: arguments of `data_pipelines.batches.ops.region_masks`; empty:
    # none.
    config.region_masks = ConfigDict()
    config.batch_size = 128
    config.eval_batch_size = 128
    config.shuffle_window = 16384

    config.objective = ConfigDict(dict(name="expression", label_smoothing=0.0))
    # A tuple, in running order: a ConfigDict iterates its keys sorted.
    config.stages = (stage(),)

    # Metric that the best weights are chosen by; "-" in front: smaller is better.
    config.select = "accuracy"
    config.eval_epochs = 1
    # Steps from one checkpoint to the next; epochs' ends, and minutes, bring more.
    config.checkpoint_steps = 1000
    # Windows for choosing, and for the reported numbers.
    config.selection_views = "center"
    config.views = "center"
    config.average = "logits"
    # What the paper states for this row, for the report.
    config.paper = ConfigDict()
    config.lock()
    return config


def stage() -> ConfigDict:
    """Returns the defaults of one stage, locked."""
    config = ConfigDict(
        dict(
            name="train",
            # Layers whose name fully matches are trained, or one submodel alone.
            train=".*",
            submodel="",
            # Objective of this stage; empty: the run's.
            objective=ConfigDict(),
            # Whether the best weights may come from this stage.
            keep_best=True,
            epochs=1,
            # Steps, where a paper counts those; 0: as the epochs give.
            steps=0,
            learning_rate=0.01,
            schedule=ConfigDict(dict(name="constant")),
            optimizer=ConfigDict(dict(name="sgd", momentum=0.9, weight_decay=0.0)),
            # Largest norm of all gradients together, or largest element; 0: any.
            clip_norm=0.0,
            clip_value=0.0,
        )
    )
    config.lock()
    return config
