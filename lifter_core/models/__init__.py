"""The lifting networks, one paper in each module, built by name. Needs torch.

A network takes the first channels of normalise.Encoded, ``nodes`` (B, J, C) and ``globals`` (B, G), or windows of W frames of
them, (B, W, J, C) and (B, W, G). It returns joints (B, J, 3) in metres about the pelvis in the virtual camera's axes; some
return more channels, or all frames of the window. Networks do not depend on video, files or cameras.
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
    """Makes the network of that name with newly initialised weights; ``arguments`` are passed to its constructor.

    Raises:
        KeyError: no network has that name.
    """
    return NETWORKS[name](**arguments)
