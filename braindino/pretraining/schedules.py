"""What changes over a training, as functions of images seen."""

import math
from dataclasses import dataclass

from braindino.pretraining.config import PretrainConfig


@dataclass(frozen=True)
class Values:
    """The scheduled values of one step."""

    learning_rate: float
    weight_decay: float
    momentum: float
    teacher_temperature: float
    last_layer_frozen: bool
    gram_weight: float
    local_weight: float


def cosine(start: float, end: float, progress: float) -> float:
    """Half a cosine from `start` (progress 0) to `end` (progress 1); constant outside."""
    progress = min(max(progress, 0.0), 1.0)
    return end + 0.5 * (start - end) * (1 + math.cos(math.pi * progress))


def linear(start: float, end: float, progress: float) -> float:
    """A straight line from `start` (progress 0) to `end` (progress 1); constant outside."""
    return start + (end - start) * min(max(progress, 0.0), 1.0)


def learning_rate(config: PretrainConfig, images: int) -> float:
    """Linear warm-up from 0 to base x 4 sqrt(batch / 1024), then a cosine to the final rate at the end of the
    run.
    """
    peak = config.optimiser.peak(config.data.batch_size)
    warmup = config.schedule.warmup_images
    if images < warmup:
        # The first step has a rate too: it is the rate after its own images.
        return linear(0.0, peak, (images + config.data.batch_size) / warmup)
    return cosine(peak, config.optimiser.final_learning_rate, _share(images - warmup, config.run.images - warmup))


def momentum(config: PretrainConfig, images: int) -> float:
    """EMA momentum of a step: the reference's cosine to 1, raised to batch / reference (Busbridge et al.,
    2023).
    """
    reference = cosine(config.schedule.ema_momentum, 1.0, _share(images, config.run.images))
    return float(reference ** (config.data.batch_size / config.schedule.ema_reference_batch))


def gram_weight(config: PretrainConfig, images: int) -> float:
    """Weight of the Gram loss: 0 until its teacher is taken, then a linear rise; the first step has a weight too."""
    gram = config.gram
    if images < gram.teacher_images:
        return 0.0
    return linear(0.0, gram.weight, _share(images + config.data.batch_size - gram.teacher_images, gram.ramp_images))


def at(config: PretrainConfig, images: int) -> Values:
    """All scheduled values for the step that starts after `images` images."""
    dino, optimiser, schedule = config.dino, config.optimiser, config.schedule
    progress = _share(images, config.run.images)
    return Values(
        learning_rate=learning_rate(config, images),
        weight_decay=cosine(optimiser.weight_decay, optimiser.final_weight_decay, progress),
        momentum=momentum(config, images),
        teacher_temperature=linear(
            dino.teacher_temperature_start,
            dino.teacher_temperature,
            _share(images, schedule.teacher_warmup_images),
        ),
        last_layer_frozen=images < schedule.freeze_last_layer_images,
        gram_weight=gram_weight(config, images),
        local_weight=cosine(1.0, dino.local_weight, progress),
    )


def _share(part: int, whole: int) -> float:
    return 1.0 if whole <= 0 else part / whole
