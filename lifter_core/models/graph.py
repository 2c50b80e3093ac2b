"""Skeleton graphs for the networks that use one: hop distances and neighbourhoods."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def hop_distances(nodes: int, edges: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """(J, J) number of edges on the shortest path between two nodes; ``nodes`` where there is none."""
    distance = np.full((nodes, nodes), nodes)
    np.fill_diagonal(distance, 0)
    for a, b in edges:
        distance[a, b] = distance[b, a] = 1
    for via in range(nodes):
        distance = np.minimum(distance, distance[:, via, None] + distance[None, via])
    return np.minimum(distance, nodes)


def neighbours(nodes: int, edges: Sequence[tuple[int, int]], hops: int) -> list[list[int]]:
    """For each node the nodes at most ``hops`` edges away, itself first, then by distance: the support of (A + I)^hops."""
    distance = hop_distances(nodes, edges)
    return [
        sorted(np.flatnonzero(distance[i] <= hops).tolist(), key=lambda j, i=i: (distance[i, j], j))  # type: ignore[misc]
        for i in range(nodes)
    ]
