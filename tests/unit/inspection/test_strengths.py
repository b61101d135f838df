"""Strength of the frequencies: what each adds to the local scores, against the literal terms."""

import numpy as np
import torch

from amad.config import make_config
from amad.inspection.strengths import strength_in
from amad.model import Amad

torch.set_num_threads(1)
CONFIG = make_config(
    "quick", {"window": 24, "stride": 12, "score_stride": 24, "d_model": 16, "heads": 2, "blocks": 2, "banks": 3}
)


def model() -> Amad:
    torch.manual_seed(0)
    made = Amad(2, CONFIG).eval()
    with torch.no_grad():
        for block in made.blocks:
            block.attention.mask.a.copy_(torch.rand(2, 3) + 0.1)
    return made


def test_shares_of_a_head_add_up_to_one() -> None:
    found = strength_in(model(), torch.randn(5, 24, 2))
    assert found.shape == (2, 2, 3, 4)
    np.testing.assert_allclose(found.sum(axis=(-2, -1)), 1, rtol=1e-6)


def test_a_bank_counts_with_the_square_of_its_weight_and_a_pair_with_what_query_and_key_carry() -> None:
    made, x = model(), torch.randn(5, 24, 2)
    found = strength_in(made, x)
    block = made.blocks[0]
    with torch.no_grad():
        token = block.norm_attention(made._embed(x))
        q, k = (layer(token).reshape(5, 24, 2, 4, 2) for layer in (block.attention.w_q, block.attention.w_k))
        weight = block.attention.mask.weights()
    for head in range(2):
        literal = np.array(
            [
                [
                    float(weight[head, f] ** 2 * q[:, :, head, j].norm(dim=-1).mean() * k[:, :, head, j].norm(dim=-1).mean())
                    for j in range(4)
                ]
                for f in range(3)
            ]
        )  # fmt: skip
        np.testing.assert_allclose(found[0, head], literal / literal.sum(), rtol=1e-5)


def test_a_pair_that_query_leaves_empty_has_no_strength() -> None:
    made = model()
    with torch.no_grad():
        made.blocks[1].attention.w_q.weight[:2] = 0  # pair 0 of head 0
    found = strength_in(made, torch.randn(3, 24, 2))
    assert (found[1, 0, :, 0] == 0).all()
    assert (found[1, 1] > 0).all()
