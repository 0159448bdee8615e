"""Every key of a config, with its default."""

from ml_collections import ConfigDict


def get_config() -> ConfigDict:
    """Returns the defaults, locked; the config of a table row changes some of them.

    A part with other keys (`objective`, a schedule) is replaced as a whole.
    """
    config = ConfigDict()
    config.seed = 0
    # XLA: "auto" is on with a GPU and off on CPU, where it is much slower.
    config.jit_compile = "auto"
    # Keras' policy. "auto" is the one that trains faster on the machine; a resumed run
    # keeps its own (`trainers.training.precision`). The papers' rows are float32.
    config.dtype_policy = "float32"
    # Two runs are bit-identical, at some cost in speed.
    config.deterministic = False
    # one, mirrored, multi_worker, or auto: several hosts by TF_CONFIG, else all GPUs,
    # else one device. `batch_size` is that of all devices together.
    config.strategy = "auto"
    # Batch normalisation over all replicas: the numbers do not depend on their count.
    config.synchronize_batch_norm = True
    # Number of parts of a batch that does not fit into memory at once.
    config.micro_batches = 1
    # Decay of a running average of the weights, which is evaluated and kept; 0: none.
    config.ema_decay = 0.0

    config.model = ConfigDict(dict(name="", arguments=ConfigDict()))
    # A catalog name, model folder or workdir whose weights training begins with (flag
    # --init); the network, its crops and its views are theirs.
    config.init = ""
    # Submodel -> workdir or model folder with the weights that it starts from.
    config.submodels = ConfigDict()
    # Published weights that the model starts from: `vgg_face`, `vggface2` or
    # `dlib_face`, the file, and the sha256 that it must have ("": any). Without a
    # format: from scratch. `statistics` is a number of training faces that the batch
    # normalisations then take their statistics from: `fer_tf.convert.batch_statistics`.
    config.published = ConfigDict(dict(format="", path="", sha256="", statistics=0))

    # Records are resized to `size` and converted to `color`. The model sees a window.
    config.input = ConfigDict(dict(size=48, color="grey", window=44))
    config.augment = ConfigDict(
        dict(crop=True, flip=True, degrees=0.0, zoom=0.0, shift=0.0, erase=0.0)
    )
    # As photographs are: how often the picture's border or a hand cuts off part of the
    # face, the largest changes of contrast and (of white) brightness, the widest blur
    # in pixels, how often JPEG has been at it. The jitter of a detector's boxes is
    # `degrees`, `zoom` and `shift`.
    config.augment.update(cover=0.0, contrast=0.0, brightness=0.0, blur=0.0, jpeg=0.0)
    # Examples of an epoch (`data_pipelines.batches.sampling`): "all"; "up", every class
    # as often as the largest; "down", at most `limit` of a class, always the same ones;
    # "videos", at most `limit` frames of a video, other ones in each epoch.
    config.sampling = ConfigDict(dict(name="all", limit=0))
    # Weights the loss of an expression by the inverse frequency of its class.
    config.class_weights = False
    # How much of the classes' frequencies is taken out of the trained weights, 0 to 1:
    # rare expressions are then named more often (`fer_tf.model_io.balance`).
    config.balance = 0.0
    # Takes one of a face's votes for all of them, another one in each epoch (FER+).
    config.draw_votes = False
    # Blends images in pairs by Beta(mixup, mixup); 0: none.
    config.mixup = 0.0
    # Allows folders that were cropped by different recipes. The model takes crops of
    # the first folder's.
    config.mixed_crops = False
    # Targets of RASnet: arguments of `data_pipelines.batches.ops.region_masks`. Empty:
    # no targets.
    config.region_masks = ConfigDict()
    config.batch_size = 128
    config.eval_batch_size = 128
    config.shuffle_window = 16384

    # A name of `trainers.training.objectives.OBJECTIVES`, and its arguments.
    config.objective = ConfigDict(dict(name="expression", label_smoothing=0.0))
    # A tuple in order of training: a ConfigDict would sort its keys.
    config.stages = (stage(),)

    # Metric that chooses the best weights; "-" in front: smaller is better.
    config.select = "accuracy"
    config.eval_epochs = 1
    # Evaluations without a better score on the validation split that end the training
    # of a config of one stage; 0: none do.
    config.patience = 0
    # Steps between checkpoints. Ends of epochs, and some minutes, bring further ones.
    config.checkpoint_steps = 1000
    # Windows of a crop: for choosing weights, and for the reported numbers.
    config.selection_views = "center"
    config.views = "center"
    config.average = "logits"
    # The paper's numbers for this row, for the report. Without any, the test set
    # chooses nothing and is read once, at the end.
    config.paper = ConfigDict()
    # Whether the finished run reads the test set. Runs among which one is chosen, as in
    # a sweep, leave it alone.
    config.reads_test = True
    config.lock()
    return config


def stage() -> ConfigDict:
    """Returns the defaults of one stage, locked."""
    config = ConfigDict(
        dict(
            name="train",
            # The layers whose name fully matches are trained, or one submodel alone.
            train=".*",
            submodel="",
            # Objective of this stage; empty: the run's.
            objective=ConfigDict(),
            # Whether the best weights may come from this stage.
            keep_best=True,
            epochs=1,
            # Steps, if the paper counts steps; 0: as many as the epochs make.
            steps=0,
            learning_rate=0.01,
            schedule=ConfigDict(dict(name="constant")),
            optimizer=ConfigDict(dict(name="sgd", momentum=0.9, weight_decay=0.0)),
            # Limits of the norm of all gradients together and of an element; 0: none.
            clip_norm=0.0,
            clip_value=0.0,
        )
    )
    config.lock()
    return config
