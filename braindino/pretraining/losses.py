"""The losses of DINOv3's two stages, as pure functions in float32."""

import torch
from torch import Tensor
from torch.nn import functional


@torch.no_grad()
def sinkhorn_knopp(logits: Tensor, temperature: float, iterations: int = 3) -> Tensor:
    """Teacher targets: float32 [rows, prototypes], every row a distribution, the prototypes used about
    evenly.

    Caron et al. (2020), SwAV, section 3.1: Q = exp(logits / temperature) is normalised in turn over
    prototypes (each gets 1/K of the mass) and over rows (each has mass 1/B), `iterations` times, rows last.
    """
    scaled = logits.float() / temperature
    # One constant for all entries cancels in the first normalisation and keeps exp within float32.
    weights = torch.exp(scaled - scaled.max())
    rows, prototypes = weights.shape
    tiny = torch.finfo(weights.dtype).tiny
    for _ in range(iterations):
        weights = weights / (weights.sum(0, keepdim=True) * prototypes).clamp_min(tiny)
        weights = weights / (weights.sum(1, keepdim=True) * rows).clamp_min(tiny)
    return weights * rows


def dino_loss(student_logits: Tensor, teacher_probs: Tensor, temperature: float) -> Tensor:
    """Mean cross-entropy over all pairs of a student crop and a teacher crop of the same slice, but not the
    same crop.

    `student_logits` [S, B, K]: crops x batch x prototypes, the T global crops first; `teacher_probs` [T, B,
    K]. Pair (t, t) is left out. Caron et al. (2021), DINO, equation 3.
    """
    log_probs = functional.log_softmax(student_logits.float() / temperature, dim=-1)
    crops, batch, _ = log_probs.shape
    targets = teacher_probs.shape[0]
    # [S, T]: one product of matrices instead of S x T passes over the prototypes.
    pairs = -(log_probs.flatten(1) @ teacher_probs.float().flatten(1).T) / batch
    same = torch.eye(crops, targets, dtype=torch.bool, device=pairs.device)
    return pairs.masked_fill(same, 0.0).sum() / (crops * targets - min(crops, targets))


def ibot_loss(student_logits: Tensor, teacher_probs: Tensor, weights: Tensor, crops: int, temperature: float) -> Tensor:
    """Cross-entropy of the masked patches: the mean within each crop, averaged over all `crops`, masked or
    not.

    `student_logits` and `teacher_probs` [M, K] for the M masked patches of a batch; `weights` [M] is 1 over
    the number of masked patches of the patch's crop. Zhou et al. (2022), iBOT, equation 2, with DINOv2's
    weighting. Zero when nothing is masked.
    """
    log_probs = functional.log_softmax(student_logits.float() / temperature, dim=-1)
    per_patch = -(teacher_probs.float() * log_probs).sum(-1)
    return (per_patch * weights).sum() / crops


def koleo_loss(features: Tensor, epsilon: float = 1e-8) -> Tensor:
    """-mean log distance of each L2-normalised row of [B, D] to its nearest neighbour: it spreads features.

    Sablayrolles et al. (2019), equation 2. `epsilon` is added to the squared distance, so that duplicates
    give a large finite loss and a zero gradient instead of infinities. Fewer than two rows give zero.
    """
    if features.shape[0] < 2:
        return features.sum() * 0.0
    with torch.autocast(features.device.type, enabled=False):
        normalised = functional.normalize(features if features.dtype == torch.float64 else features.float(), dim=-1)
        with torch.no_grad():
            similarity = normalised @ normalised.T
            nearest = similarity.fill_diagonal_(-2.0).argmax(1)
        squared = (normalised - normalised[nearest]).square().sum(-1)
        return -0.5 * torch.log(squared + epsilon).mean()


def gram_loss(student_patches: Tensor, teacher_patches: Tensor) -> Tensor:
    """Mean squared difference of the patches' cosine similarities within each crop: it anchors local features.

    Both are [n, N, D], patch tokens of the same n crops. Simeoni et al. (2025), DINOv3, section 4.2, equation 2,
    as a mean over the N x N pairs.
    """
    with torch.autocast(student_patches.device.type, enabled=False):
        student, teacher = (_gram(patches) for patches in (student_patches, teacher_patches))
        return functional.mse_loss(student, teacher)


def _gram(patches: Tensor) -> Tensor:
    unit = functional.normalize(patches if patches.dtype == torch.float64 else patches.float(), dim=-1)
    return unit @ unit.transpose(-1, -2)
