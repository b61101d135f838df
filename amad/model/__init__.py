"""The paper's model and nothing else: AutoMask, mixed attention, encoder."""

from amad.model.attention import BlockMaps
from amad.model.encoder import Amad, Output

__all__ = ["Amad", "BlockMaps", "Output"]
