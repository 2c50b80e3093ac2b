"""The networks: what their mathematics says, their sizes, and that they learn."""

import pytest
import torch
from torch import nn

from lifter_core.models import NETWORKS, build
from lifter_core.models.graph import hop_distances, neighbours
from lifter_core.models.locally_connected import LocallyConnectedLayer

CHAIN = [(0, 1), (1, 2), (2, 3), (2, 4)]
SMALL = {"residual_mlp": {"width": 64}, "locally_connected": {"width": 16, "edges": CHAIN, "hops": 1}}


def test_hop_distances_count_the_bones_between():
    distance = hop_distances(5, CHAIN)
    assert distance[0, 4] == 3
    assert distance[3, 4] == 2
    assert (distance == distance.T).all()


def test_neighbours_hold_the_node_itself_first():
    assert neighbours(5, CHAIN, 1)[2] == [2, 1, 3, 4]


def test_locally_connected_layer_at_infinite_hops_is_a_dense_layer():
    layer = LocallyConnectedLayer(5, CHAIN, 99, 3, 4)
    x = torch.randn(5, 7, 3)
    dense = torch.zeros(5, 4, 5, 3)
    for i, (row, weight) in enumerate(zip(layer.near, layer.weight.split(layer.rows), strict=True)):
        for k, j in enumerate(row):
            dense[i, :, j] = weight[3 * k : 3 * k + 3].T
    expected = torch.einsum("iojc,jbc->ibo", dense, x) + layer.bias[:, None]
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)


def test_locally_connected_layer_hears_its_neighbours_only():
    layer = LocallyConnectedLayer(5, CHAIN, 1, 3, 4)
    x = torch.randn(5, 1, 3)
    moved = x.clone()
    moved[4] += 1
    changed = (layer(x) != layer(moved)).flatten(1).any(1)
    assert changed.tolist() == [False, False, True, False, True]


def test_locally_connected_layer_has_a_matrix_for_every_edge():
    layer = LocallyConnectedLayer(5, CHAIN, 1, 3, 4)
    directed_edges_and_selves = 2 * len(CHAIN) + 5
    assert sum(p.numel() for p in layer.parameters()) == directed_edges_and_selves * 3 * 4 + 5 * 4


def test_residual_mlp_has_the_papers_size():
    # Linear-BN x 5 of 1024 after (2 * 16) inputs, then 3 * 16 outputs; biases before BatchNorm left out
    network = build("residual_mlp", joints=16, channels=2, global_channels=0, width=1024)
    weights = 32 * 1024 + 4 * 1024**2 + 1024 * 48 + 48
    norms = 5 * 2 * 1024
    assert sum(p.numel() for p in network.parameters()) == weights + norms


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_can_learn_one_batch_by_heart(name: str):
    torch.manual_seed(0)
    network = build(name, joints=5, **SMALL[name])
    nodes, flat, target = torch.randn(32, 5, 3), torch.randn(32, 3), torch.randn(32, 5, 3)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    first = nn.functional.mse_loss(network(nodes, flat), target).item()
    for _ in range(150):
        loss = nn.functional.mse_loss(network(nodes, flat), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.1 * first
