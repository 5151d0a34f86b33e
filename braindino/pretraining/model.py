"""Student and teacher: a backbone and two projection heads each, the teacher an average of the student's
past.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from braindino.encoders.network import TokenNetwork
from braindino.pretraining.config import HeadConfig, PretrainConfig


class ProjectionHead(nn.Module):
    """MLP -> L2-normalised bottleneck -> cosine with each prototype (Caron et al., 2021, DINO, appendix
    C).
    """

    def __init__(self, width: int, config: HeadConfig) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(width, config.hidden),
            nn.GELU(),
            nn.Linear(config.hidden, config.hidden),
            nn.GELU(),
            nn.Linear(config.hidden, config.bottleneck),
        )
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        self.prototypes = nn.Parameter(torch.randn(config.prototypes, config.bottleneck))
        self.normalised = config.normalised
        if not config.normalised:
            nn.init.trunc_normal_(self.prototypes, std=0.02)

    def project(self, tokens: Tensor) -> Tensor:
        """L2-normalised bottleneck features [..., bottleneck] of tokens [..., D]."""
        return functional.normalize(self.mlp(tokens), dim=-1, eps=1e-6)

    def logits(self, projected: Tensor) -> Tensor:
        """Cosines [..., prototypes] of bottleneck features with the prototypes: a weight-normalised last
        layer.
        """
        prototypes = functional.normalize(self.prototypes, dim=-1) if self.normalised else self.prototypes
        return functional.linear(projected, prototypes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [..., prototypes] of tokens [..., D]."""
        return self.logits(self.project(tokens))


class Learner(TokenNetwork):
    """A backbone with its two heads: `dino_head` for CLS tokens, `ibot_head` for patch tokens.

    Its tensors are named as in the released checkpoints of DINOv3's family: `backbone.*`, `dino_head.*`,
    `ibot_head.*`.
    """

    def __init__(self, config: PretrainConfig) -> None:
        super().__init__(config.network)
        self.dino_head = ProjectionHead(config.network.width, config.dino.head)
        self.ibot_head = ProjectionHead(config.network.width, config.ibot.head)

    def parts(self) -> list[list[nn.Parameter]]:
        """The parameters whose gradients are clipped together: the backbone's, then each head's."""
        heads = [list(self.dino_head.parameters()), list(self.ibot_head.parameters())]
        return [[*self.backbone.parameters(), self.mask_token], *heads]


class StudentTeacher(nn.Module):
    """The student, which learns; the teacher, which follows it; the queue of the teacher's recent CLS features; and
    from some moment on the Gram teacher, the teacher's backbone of that moment.
    """

    queue: Tensor
    """float32 [queue, bottleneck], newest first."""
    queue_filled: Tensor
    """float32 [queue], 1 where there is a feature yet."""

    def __init__(self, config: PretrainConfig) -> None:
        super().__init__()
        self.student = Learner(config)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.gram_teacher: TokenNetwork | None = None
        self._pairs: tuple[list[Tensor], list[Tensor]] | None = None
        self.register_buffer("queue", torch.zeros(config.dino.queue, config.dino.head.bottleneck))
        self.register_buffer("queue_filled", torch.zeros(config.dino.queue))

    def anchor(self) -> None:
        """Take the teacher's backbone, as it is now, for the Gram teacher."""
        with torch.random.fork_rng(devices=[]):  # its initial weights are replaced at once
            gram_teacher = TokenNetwork(self.teacher.config).to(self.teacher.mask_token.device)
        gram_teacher.backbone.load_state_dict(self.teacher.backbone.state_dict())
        self.gram_teacher = gram_teacher.requires_grad_(False).eval()

    @torch.no_grad()
    def follow(self, momentum: float, succeeded: Tensor) -> None:
        """teacher <- momentum x teacher + (1 - momentum) x student, in place; unchanged where `succeeded` is 0.

        `succeeded` is a float32 scalar on the device: whether a step failed is not waited for.
        """
        if self._pairs is None:  # walking through all modules takes a fast device's time
            self._pairs = list(self.student.parameters()), list(self.teacher.parameters())
        student, teacher = self._pairs
        steps = torch._foreach_sub(student, teacher)
        torch._foreach_mul_(steps, (1.0 - momentum) * succeeded)
        torch._foreach_add_(teacher, steps)

    @torch.no_grad()
    def remember(self, projected: Tensor, succeeded: Tensor) -> None:
        """Put the teacher's features of a batch, [n, bottleneck], at the front of the queue; not where `succeeded` is
        0.
        """
        size = len(self.queue)
        if size:
            newer = torch.cat([projected.float(), self.queue])[:size]
            filled = torch.cat([self.queue_filled.new_ones(len(projected)), self.queue_filled])[:size]
            self.queue.copy_(torch.where(succeeded > 0, newer, self.queue))
            self.queue_filled.copy_(torch.where(succeeded > 0, filled, self.queue_filled))
