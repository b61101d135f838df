"""Linear layers in one pass: the numbers of PyTorch's own, and when they are not taken."""

import pytest
import torch
import torch.nn.functional as F

from amad.model import dense as module
from amad.model.dense import dense


@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(5, 7), (3, 1, 7), (2, 9, 7), (0, 9, 7)])
def test_one_pass_gives_the_numbers_of_two(shape: tuple[int, ...], bias: bool, gelu: bool) -> None:
    torch.manual_seed(0)
    x, weight, b = torch.randn(shape), torch.randn(4, 7), torch.randn(4) if bias else None
    with torch.no_grad():
        found = dense(x, weight, b, gelu=gelu)
    wanted = F.linear(x.double(), weight.double(), None if b is None else b.double())
    torch.testing.assert_close(found.double(), F.gelu(wanted) if gelu else wanted, rtol=1e-5, atol=2e-6)


def test_parts_of_a_larger_table_are_taken_as_they_lie() -> None:
    torch.manual_seed(0)
    wide, weight = torch.randn(6, 5, 14), torch.randn(4, 7)
    with torch.no_grad():
        torch.testing.assert_close(dense(wide[:, :, ::2], weight), F.linear(wide[:, :, ::2].contiguous(), weight))
        torch.testing.assert_close(
            dense(wide.transpose(0, 1)[..., :7], weight), F.linear(wide.transpose(0, 1)[..., :7], weight)
        )


def test_gradients_and_double_precision_come_from_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    real = module._by_one_dnn
    monkeypatch.setattr(module, "_by_one_dnn", lambda x: taken.append(real(x)) or taken[-1])
    weight = torch.randn(4, 7, requires_grad=True)
    dense(torch.randn(5, 7), weight, gelu=True).sum().backward()
    assert weight.grad is not None
    with torch.no_grad():
        dense(torch.randn(5, 7, dtype=torch.float64), weight.double())
        dense(torch.randn(5, 7, device="meta"), weight.to("meta"))
        with torch.autocast("cpu", torch.bfloat16):
            assert dense(torch.randn(5, 7), weight).dtype == torch.bfloat16
    assert taken == [False] * 4
