"""The lifting networks, one paper a module, built by name.

Every network takes ``nodes`` (B, J, 3) and ``globals`` (B, 3) as normalise.Encoded has them, and returns (B, J, 3):
metres about the pelvis in the virtual camera's axes. They know nothing of video, files or cameras. Needs torch.
"""

from collections.abc import Callable
from typing import Any

from torch import nn

from .gcn import GraphNetwork
from .locally_connected import LocallyConnected
from .residual_mlp import ResidualMLP
from .spatial_temporal import SpatialTemporal
from .temporal import Temporal

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "residual_mlp": ResidualMLP,
    "gcn": GraphNetwork,
    "spatial_temporal": SpatialTemporal,
    "locally_connected": LocallyConnected,
    "temporal": Temporal,
}


def build(name: str, **arguments: Any) -> nn.Module:
    """The network of that name, with fresh weights; ``arguments`` are its constructor's.

    Raises:
        KeyError: no network has that name.
    """
    return NETWORKS[name](**arguments)
