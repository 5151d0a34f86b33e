"""The configuration of a training: frozen dataclasses, each value with the published one beside it.

"Published" is the DINOv3 reference configuration for ViT-L on ImageNet-1k, whose epoch is 1,250 steps of
2,048 images. Everything that runs over a training is stated in images seen, so that it means the same at any
batch size.
"""

import math
from dataclasses import dataclass, field

from braindino.encoders.network import NetworkConfig
from braindino.errors import ConfigError

PRETRAINING_VERSION = 2
"""Raised by hand when the same configuration, seed and slices give other weights; part of every training's
id.
"""


@dataclass(frozen=True)
class StartConfig:
    """What student and teacher are before the first step: random weights, or somebody's."""

    weights: str = ""
    """A file: a checkpoint of this project (student, teacher and both heads go on: how stage 2 follows stage 1), one of
    its encoders, DINOv3's released weights with timm's or the original names, or a BrainDINO-style .pth (a dict with
    `teacher`), whose heads are taken where they have the sizes of this configuration.
    """
    imagenet_input: bool = True
    """Whether the file's three colour channels expect ImageNet's normalisation (DINOv3's do; BrainDINO repeats the grey
    slice in 0..1). Either way the channels are folded into one, exactly.
    """


@dataclass(frozen=True)
class DataConfig:
    """Which slices are drawn."""

    batch_size: int = 512
    """Slices a step (published: 2,048). One slice per subject in a batch where there are enough subjects."""
    window: str = "p0.5_99.5"
    """Intensity window, as in-brain percentiles, mapped onto 0..1 (BrainDINO: 0.5 to 99.5)."""
    gaussian_scale: float | None = None
    """Spread of the slice index around the middle, as a share of the scan's range (BrainDINO); uniform
    without it.
    """
    balance: bool = True
    """Draw datasets by the square root of their size instead of by their size."""
    pairs: str = "none"
    """Where crops of odd number are taken: from the same slice (none), a few slices away (neighbour), at the same
    height of another contrast of the session (contrast) or of another session (session). A pair erases what differs
    within it: neighbour what changes over a few slices, contrast also enhancement, session progression.
    """
    pair_distance: int = 3
    """Most slices between neighbours of a pair."""


@dataclass(frozen=True)
class CropConfig:
    """Multi-crop: sizes in pixels of the square crops, areas as shares of the slice's canvas."""

    global_size: int = 224
    """Published: 224."""
    global_area: tuple[float, float] = (0.32, 1.0)
    """Published: 0.32 to 1."""
    local_size: int = 96
    """Published: 96."""
    local_area: tuple[float, float] = (0.05, 0.32)
    """Published: 0.05 to 0.32."""
    local_number: int = 8
    """Published: 8."""
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    """Height over width (published: 3/4 to 4/3)."""
    mixed: tuple[tuple[int, int, float], ...] = ()
    """Global size, local size and share of the steps, for each of several pairs of sizes: high-resolution adaptation
    (published, among others: 512/112, 768/112, 768/168). Without any, all steps have the sizes above.
    """
    rotation_degrees: float = 10.0
    """Largest rotation in the plane, either way (published: none; heads are tilted in the scanner)."""


@dataclass(frozen=True)
class IntensityConfig:
    """Intensity augmentation of grey slices: the published colour operations have no meaning here."""

    window_jitter: float = 0.1
    """Largest shift of either end of the window, as a share of its width."""
    gamma: float = 0.25
    """Largest natural logarithm of the gamma exponent, either way."""
    contrast: float = 0.2
    """Largest relative change of contrast about the slice's middle grey (published brightness/contrast:
    0.4).
    """
    brightness: float = 0.1
    """Largest shift of brightness, in windows."""
    noise: float = 0.05
    """Largest standard deviation of Rician noise, in windows; it acts on the signal before the window does."""
    blur_sigma: float = 1.5
    """Largest standard deviation of the Gaussian blur, in pixels of the crop (published: 0.1 to 2)."""
    probability: float = 0.8
    """That a crop's gamma, contrast and brightness are changed (published: 0.8)."""
    noise_probability: float = 0.3
    """That a crop gets noise."""
    blur_probability: float = 0.3
    """That a crop is blurred (published: 1, 0.1 and 0.5 for the two global and the local crops)."""
    bias: float = 0.4
    """Largest natural logarithm of a coil's bias field at a slice's corner, about; a polynomial of degree 3."""
    bias_probability: float = 0.3
    """That a crop gets a bias field."""
    thick: float = 6.0
    """Largest thickness in mm of simulated thick slices: means over neighbours; where slices are as thick, none."""
    thick_probability: float = 0.15
    """That a slice is made thick; each one reads its neighbours too."""
    flip_probability: float = 0.5
    """That a crop is mirrored left to right (published: 0.5). Sagittal slices are never mirrored."""


@dataclass(frozen=True)
class HeadConfig:
    """A projection head: a three-layer MLP, an L2-normalised bottleneck, weight-normalised prototypes."""

    prototypes: int = 65_536
    """Published: 65,536. Many more than rows in a batch make Sinkhorn targets flat: see DinoConfig.queue."""
    hidden: int = 2048
    """Published: 2,048."""
    bottleneck: int = 256
    """Published: 256."""
    normalised: bool = True
    """Whether prototypes have length 1, as DINOv2's; DINOv3's released heads have not, and go on without."""


@dataclass(frozen=True)
class DinoConfig:
    """Distillation between crops through the CLS token."""

    head: HeadConfig = field(default_factory=HeadConfig)
    weight: float = 1.0
    """Published: 1."""
    student_temperature: float = 0.1
    """Published: 0.1 (iBOT's too)."""
    teacher_temperature: float = 0.07
    """Reached after `teacher_warmup_images` (published: 0.07; iBOT's too)."""
    teacher_temperature_start: float = 0.04
    """Published: 0.04."""
    local_weight: float = 1.0
    """At the end of the run, the weight of pairs with a local crop, reached from 1 as a cosine (published: 1 in stage
    1, 0.5 with Gram).
    """
    sinkhorn_iterations: int = 3
    """Published: 3."""
    queue: int = 0
    """Earlier teacher CLS features that join the Sinkhorn step, so that a small batch still has rows enough
    to use the prototypes evenly (Caron et al., 2020, SwAV, section 4; published: 0, for batches of
    thousands).
    """


@dataclass(frozen=True)
class IbotConfig:
    """Masked-patch distillation."""

    head: HeadConfig = field(default_factory=HeadConfig)
    weight: float = 1.0
    """Published: 1."""
    masked_share: float = 0.5
    """Share of the global crops that are masked (published: 0.5)."""
    ratio: tuple[float, float] = (0.1, 0.5)
    """Share of a masked crop's patches that is hidden, block-wise (published: uniform in 0.1 to 0.5)."""


@dataclass(frozen=True)
class GramConfig:
    """Gram anchoring: local features keep the similarities that an earlier teacher of the same run had."""

    weight: float = 0.0
    """Reached after the ramp (published: 2; 1.5 at high resolution); 0 leaves the stage out."""
    teacher_images: int = 15_000_000
    """Images seen when the EMA teacher of that moment becomes the Gram teacher and the loss sets in (published for
    ViT-B on medical slices: 20 to 40 thousand steps of 512).
    """
    ramp_images: int = 1_000_000
    """Over which the weight rises from 0 (published: ramped 0 to 2)."""
    resolution: int = 2
    """The Gram teacher sees each global crop undistorted at this many times its size (published: 2)."""


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW with layer-wise learning rates."""

    learning_rate: float = 1e-3
    """Base rate; the peak is base x 4 sqrt(batch / 1024) (published: 1e-3)."""
    final_learning_rate: float = 1e-6
    """End of the cosine (published: 1e-6)."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Published: 0.9, 0.999."""
    weight_decay: float = 0.04
    """Start of the cosine (published: 0.04)."""
    final_weight_decay: float = 0.4
    """End of the cosine (published: 0.4)."""
    clip: float = 3.0
    """Largest gradient norm of the backbone and of each head (published: 3)."""
    layer_decay: float = 0.9
    """Factor of the rate from one block to the block below (published: 0.9)."""
    patch_embed_factor: float = 0.2
    """Further factor for the patch embedding (published: 0.2)."""

    def peak(self, batch_size: int) -> float:
        """The highest learning rate at this batch size."""
        return self.learning_rate * 4 * math.sqrt(batch_size / 1024)


@dataclass(frozen=True)
class ScheduleConfig:
    """When things change, in images seen; the end of every cosine is run.images."""

    warmup_images: int = 3_000_000
    """Linear warm-up of the learning rate (published: 25.6 M of 256 M, a tenth of the run)."""
    teacher_warmup_images: int = 9_000_000
    """Linear rise of the teacher's temperature (published: 76.8 M of 256 M)."""
    freeze_last_layer_images: int = 300_000
    """While the prototypes stay as initialised (published: one epoch, 2.56 M of 256 M)."""
    ema_momentum: float = 0.992
    """Momentum of the teacher at the start, at `ema_reference_batch`; it rises to 1 as a cosine (published:
    0.992).
    """
    ema_reference_batch: int = 2048
    """At batch b the momentum of a step is momentum ^ (b / reference) (Busbridge et al., 2023, EMA scaling
    rule).
    """


@dataclass(frozen=True)
class RunConfig:
    """How long, how often, where."""

    images: int = 30_000_000
    """Images seen at the end (BrainDINO's released weights are of step 58,000; about this at batch 512)."""
    seed: int = 0
    log_every: int = 50
    """Steps between two log records."""
    probe_every: int = 1000
    """Steps between two probes of the labelled cohort; 0 leaves them out."""
    checkpoint_every: int = 1000
    """Steps between two checkpoints."""
    keep: int = 2
    """Newest checkpoints kept."""
    milestone_every: int = 0
    """Steps between two checkpoints that are kept for good, as whole multiples; 0 keeps only the newest."""
    alarms: int = 10
    """Log records in a row with signs of a collapse after which the training stops; 0 only warns."""
    device: str = "auto"
    """cpu, cuda, or auto: cuda where there is one."""
    accumulate: int = 1
    """Parts that a process's share of a batch is put through the networks in, one after the other, where memory does
    not hold it whole; targets are balanced over all of them. KoLeo looks for neighbours within a part.
    """
    compile: bool = False
    """Compile the transformer's blocks: a minute at the start, faster steps after."""
    precision: str = "float32"
    """float32, or bfloat16 for autocast in the networks (losses and weights stay float32)."""


@dataclass(frozen=True)
class PretrainConfig:
    """Everything that decides the weights of a training, given its slices."""

    network: NetworkConfig
    name: str = "training"
    start: StartConfig = field(default_factory=StartConfig)
    data: DataConfig = field(default_factory=DataConfig)
    crops: CropConfig = field(default_factory=CropConfig)
    intensity: IntensityConfig = field(default_factory=IntensityConfig)
    dino: DinoConfig = field(default_factory=DinoConfig)
    ibot: IbotConfig = field(default_factory=IbotConfig)
    koleo_weight: float = 0.1
    """Weight of the KoLeo regulariser, per global crop (published: 0.1)."""
    gram: GramConfig = field(default_factory=GramConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def __post_init__(self) -> None:
        _check(self)

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole run."""
        return max(1, math.ceil(self.run.images / self.data.batch_size))


def _check(config: PretrainConfig) -> None:
    """Refuse what cannot work, in the words of the configuration."""
    patch = config.network.patch_size
    sizes = {"crops.global_size": config.crops.global_size, "crops.local_size": config.crops.local_size}
    for number, (large, small, share) in enumerate(config.crops.mixed):
        sizes |= {f"crops.mixed[{number}]'s global size": large, f"crops.mixed[{number}]'s local size": small}
        if share <= 0:
            raise ConfigError(f"crops.mixed[{number}]'s share is {share}: give more than 0.")
    for name, size in sizes.items():
        if size < patch or size % patch:
            raise ConfigError(f"{name} {size} must be a multiple of network.patch_size {patch}.")
    if not 0 <= config.intensity.blur_sigma <= 2:
        raise ConfigError(f"intensity.blur_sigma is {config.intensity.blur_sigma}: give 0 to 2 pixels.")
    if config.data.batch_size % max(config.run.accumulate, 1):
        raise ConfigError(
            f"data.batch_size {config.data.batch_size} must be a multiple of run.accumulate {config.run.accumulate}."
        )
    for key, (low, high) in {
        "crops.global_area": config.crops.global_area,
        "crops.local_area": config.crops.local_area,
        "ibot.ratio": config.ibot.ratio,
    }.items():
        if not 0 < low <= high <= 1:
            raise ConfigError(f"{key} [{low}, {high}] must rise within 0 to 1.")
    for key, number in {
        "data.batch_size": config.data.batch_size,
        "run.images": config.run.images,
        "run.log_every": config.run.log_every,
        "run.checkpoint_every": config.run.checkpoint_every,
        "run.keep": config.run.keep,
        "run.accumulate": config.run.accumulate,
        "dino.sinkhorn_iterations": config.dino.sinkhorn_iterations,
    }.items():
        if number < 1:
            raise ConfigError(f"{key} is {number}: give 1 or more.")
    gram = config.gram
    if gram.weight < 0 or gram.resolution < 1 or gram.teacher_images < 0 or gram.ramp_images < 0:
        raise ConfigError(
            "gram.weight, gram.teacher_images and gram.ramp_images are 0 or more, gram.resolution 1 or more."
        )
    for key in ("probe_every", "alarms", "milestone_every"):
        if getattr(config.run, key) < 0:
            raise ConfigError(f"run.{key} is {getattr(config.run, key)}: give 0 or more.")
    if config.run.precision not in ("float32", "bfloat16"):
        raise ConfigError(f"run.precision {config.run.precision!r} is unknown: choose float32 or bfloat16.")
