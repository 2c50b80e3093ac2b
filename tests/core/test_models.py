"""The networks: what their mathematics says, their sizes, and that they learn."""

from typing import Any, get_args

import pytest
import torch
from torch import nn

from lifter_core.models import NETWORKS, build, growing
from lifter_core.models.graph import hop_distances, neighbours
from lifter_core.models.graph_conv import GraphConv, Sharing, normalised_adjacency
from lifter_core.models.locally_connected import LocallyConnectedLayer
from lifter_core.models.per_edge import edge_products
from lifter_core.models.spatial_temporal import neighbour_classes
from lifter_core.normalise import LOG_SPREAD
from lifter_core.skeleton import EDGES

CHAIN = [(0, 1), (1, 2), (2, 3), (2, 4)]
SMALL: dict[str, dict[str, Any]] = {
    "residual_mlp": {"width": 64},
    "gcn": {"width": 64, "edges": CHAIN, "blocks": 2, "sharing": "pre", "decoupled": True},
    "locally_connected": {"width": 16, "edges": CHAIN, "hops": 1},
    "temporal": {
        "width": 32, "edges": CHAIN, "taps": (-1, 0, 1), "embed": 8, "filters": 2, "refine": 4, "channels": 3,
        "global_channels": 3,
    },
    "spatial_temporal": {
        "edges": CHAIN, "symmetric": [(3, 4)], "parts": [[3], [4], [0, 1, 2]], "part_pairs": [(0, 1)], "centre": 2,
    },
}  # fmt: skip
# Human3.6M's 17 joints
H36M = list(enumerate([-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15]))[1:]
BODY: dict[str, Any] = {
    "joints": 17, "edges": H36M, "symmetric": [(3, 6), (2, 5), (1, 4), (11, 14), (12, 15), (13, 16)], "centre": 7,
    "parts": [[11, 12, 13], [14, 15, 16], [4, 5, 6], [1, 2, 3], [0, 7, 8, 9, 10]], "part_pairs": [(0, 1), (2, 3)],
}  # fmt: skip
SHARINGS: tuple[Sharing, ...] = get_args(Sharing)


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


def test_edge_products_and_their_gradients_are_those_of_the_sum_written_out():
    near, strength = [[0, 1], [1, 0, 2], [2]], [0.5, 1.0, 2.0, 0.25, 1.0, 3.0]
    x, weight, bias = (torch.randn(*shape, requires_grad=True) for shape in ((3, 7, 4), (6, 4, 5), (3, 5)))

    def written_out() -> torch.Tensor:
        edges = iter(zip(weight, strength, strict=True))
        rows = [[s * x[j] @ w for j, (w, s) in zip(row, edges)] for row in near]  # noqa: B905
        return torch.stack([b + torch.stack(row).sum(0) for b, row in zip(bias, rows, strict=True)])

    out = edge_products(x, weight, bias, near, strength)
    torch.testing.assert_close(out, written_out(), rtol=1e-4, atol=1e-5)
    towards = torch.randn_like(out)
    got = torch.autograd.grad(out, (x, weight, bias), towards)
    for a, b in zip(got, torch.autograd.grad(written_out(), (x, weight, bias), towards), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_the_locally_connected_layer_learns_edge_by_edge_what_it_answers_without():
    layer = LocallyConnectedLayer(5, CHAIN, 2, 32, 4)
    x = torch.randn(5, 7, 32)
    with torch.no_grad():
        expected = layer(x)
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)


def test_residual_mlp_has_the_papers_size():
    # Linear-BN x 5 of 1024 after (2 * 16) inputs, then 3 * 16 outputs; biases before BatchNorm left out
    network = build("residual_mlp", joints=16, channels=2, global_channels=0, width=1024)
    weights = 32 * 1024 + 4 * 1024**2 + 1024 * 48 + 48
    norms = 5 * 2 * 1024
    assert sum(p.numel() for p in network.parameters()) == weights + norms


def test_the_adjacency_is_that_of_equation_1():
    a = normalised_adjacency(5, CHAIN)
    torch.testing.assert_close(a, a.T)
    degree = torch.tensor([2.0, 3, 4, 2, 2])
    assert torch.isclose(a[1, 2], 1 / (degree[1] * degree[2]).sqrt())
    torch.testing.assert_close(normalised_adjacency(5, CHAIN, "row").sum(1), torch.ones(5))


def test_full_sharing_is_equation_1():
    layer = GraphConv(5, CHAIN, 3, 4)
    x = torch.randn(2, 5, 3)
    torch.testing.assert_close(layer(x), normalised_adjacency(5, CHAIN) @ x @ layer.weight[0] + layer.bias)


def test_equation_1_does_not_care_in_which_order_the_nodes_come():
    order = torch.tensor([3, 0, 4, 1, 2])
    place = order.argsort()
    layer = GraphConv(5, CHAIN, 3, 4)
    other = GraphConv(5, [(int(place[a]), int(place[b])) for a, b in CHAIN], 3, 4)
    other.load_state_dict(layer.state_dict())
    x = torch.randn(2, 5, 3)
    torch.testing.assert_close(other(x[:, order]), layer(x)[:, order])


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("sharing", SHARINGS)
def test_every_sharing_with_tied_weights_is_full_sharing(sharing: Sharing, decoupled: bool):
    full, layer = GraphConv(5, CHAIN, 3, 4), GraphConv(5, CHAIN, 3, 4, sharing, decoupled)
    with torch.no_grad():
        layer.weight.copy_(full.weight.expand_as(layer.weight))
        if layer.own is not None:
            layer.own.copy_(full.weight.expand_as(layer.own))
    x = torch.randn(2, 5, 3)
    torch.testing.assert_close(layer(x), full(x), rtol=1e-4, atol=1e-5)


def test_convolution_style_tells_neighbours_by_their_distance_from_the_root():
    layer = GraphConv(5, CHAIN, 1, 1, "convolution")
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.0, 1.0, 0.0]).view(3, 1, 1))  # only what is nearer the root counts
    x = torch.randn(1, 5, 1)
    moved = x.clone()
    moved[0, 2] += 1
    assert (layer(x) != layer(moved)).flatten().tolist() == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("sharing", "decoupled", "matrices"),
    [
        ("full", False, 1), ("full", True, 2), ("pre", False, 17), ("pre", True, 34), ("post", False, 17),
        ("post", True, 34), ("convolution", False, 3), ("none", False, 17 + 2 * 16),
    ],
)  # fmt: skip
def test_the_networks_of_the_weight_sharing_study_have_its_sizes(sharing: Sharing, decoupled: bool, matrices: int):
    network = build(
        "gcn", joints=17, edges=H36M, channels=2, global_channels=0, width=128, sharing=sharing, decoupled=decoupled
    )
    weights = matrices * (2 * 128 + 8 * 128**2 + 128 * 3)
    biases_and_norms = 9 * 128 + 3 + 9 * 2 * 128
    assert sum(p.numel() for p in network.parameters()) == weights + biases_and_norms


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_can_learn_one_batch_by_heart(name: str):
    torch.manual_seed(0)
    network = build(name, joints=5, **SMALL[name])
    window = (3,) if name == "temporal" else ()
    nodes, flat, target = torch.randn(32, *window, 5, 3), torch.randn(32, *window, 3), torch.randn(32, 5, 3)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    first = nn.functional.mse_loss(network(nodes, flat)[..., :3], target).item()
    for _ in range(150):
        loss = nn.functional.mse_loss(network(nodes, flat)[..., :3], target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.1 * first


@pytest.mark.parametrize(("frames", "millions"), [(1, 3.63), (3, 5.04), (7, 5.04)])
def test_the_spatial_temporal_network_has_the_papers_size(frames: int, millions: float):
    network = build("spatial_temporal", **BODY, frames=frames, channels=2, global_channels=0)
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 2) == millions


def test_neighbour_classes_share_out_the_whole_normalised_graph():
    classes = neighbour_classes(5, CHAIN, [(3, 4)], centre=2, frames=3)
    assert classes.shape == (6, 15, 15)
    torch.testing.assert_close(classes.sum(0).sum(0), torch.ones(15))
    own, further, closer, symmetric, after, before = (kind > 0 for kind in classes)
    assert (own.sum(), symmetric.sum(), after.sum()) == (15, 6, 10)
    assert (further == closer.T).all()
    assert (after == before.T).all()
    assert further[2, 1]
    assert closer[0, 1]


def test_the_spatial_temporal_network_answers_for_every_frame():
    network = build("spatial_temporal", **BODY, frames=3).eval()
    nodes, flat = torch.randn(2, 3, 17, 3), torch.randn(2, 3, 3)
    out = network(nodes, flat)
    assert out.shape == (2, 3, 17, 3)
    nodes[:, 2] += 1
    assert not torch.allclose(network(nodes, flat)[:, 0], out[:, 0]), "frames hear each other"


def test_the_temporal_network_started_from_a_residual_mlp_answers_as_that_does():
    torch.manual_seed(0)
    mlp = build("residual_mlp", joints=26, width=64).eval()
    ours = build("temporal", joints=26, edges=EDGES, taps=(-1, 0, 1), embed=8, filters=2, width=64, refine=4)
    ours.eval()
    ours.start_from(mlp.state_dict())
    with torch.no_grad():
        ours.stem[0].weight[:, :16] = 0  # time's say
        ours.per_edge[1].weight.zero_()
        ours.kernels[[0, 2]] = -99
        nodes, flat = torch.randn(5, 3, 26, 6), torch.randn(5, 3, 6)
        nodes[..., 3:], flat[..., 3:] = 0, 0
        given = ours.stem[0].weight[:, -2:].clone()
        ours.stem[0].weight[:, -2:] = 0
        torch.testing.assert_close(ours(nodes, flat)[..., :3], mlp(nodes[:, 1, :, :3], flat[:, 1, :3]))
    assert given.abs().max() < 0.2


def test_a_wider_temporal_network_answers_as_the_one_it_grew_from(monkeypatch):
    monkeypatch.setattr(growing, "_JITTER", 0.0)
    torch.manual_seed(0)
    inputs = {"joints": 26, "edges": EDGES, "taps": (-1, 0, 1), "embed": 8, "filters": 2, "refine": 4}
    narrow, wide = build("temporal", **inputs, width=32), build("temporal", **inputs, width=48)
    nodes, flat = torch.randn(40, 3, 26, 6), torch.randn(40, 3, 6)
    narrow(nodes, flat)  # norms unlike fresh ones
    wide.start_from(narrow.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(wide.eval()(nodes, flat), narrow.eval()(nodes, flat), rtol=1e-3, atol=1e-4)


def test_exact_depths_bring_exact_rays():
    """A point believed fully, with the body's true size and its own depth, lands where perspective puts it."""
    ours = build("temporal", joints=26, edges=EDGES, taps=(0,), embed=8, filters=1, width=16).eval()
    body = torch.randn(7, 26, 3) * 0.3
    body[:, 0] = 0
    pelvis = 4.0
    tangents = body[..., :2] / (pelvis + body[..., 2:])
    spread = tangents.square().sum(2).mean(1).sqrt()
    nodes = torch.zeros(7, 26, 6)
    nodes[..., :2], nodes[..., 2] = tangents / spread[:, None, None], 1
    log = (torch.log(spread) - LOG_SPREAD[0]) / LOG_SPREAD[1]
    smooth = torch.cat([nodes.flatten(1), log[:, None], torch.zeros(7, 5)], 1)
    gate = torch.full((7, 27), 20.0)
    gate[:, 26] = torch.log(pelvis * spread)
    planar = ours._rays(torch.cat([torch.zeros(7, 26, 2), body[..., 2:], torch.zeros(7, 26, 1)], 2), gate, smooth)
    torch.testing.assert_close(planar[..., :2], body[..., :2], rtol=1e-3, atol=1e-4)


def test_frames_that_are_missing_do_not_speak_in_the_temporal_network():
    torch.manual_seed(0)
    network = build("temporal", joints=26, edges=EDGES, taps=(-1, 0, 1), embed=8, filters=2, width=32).eval()
    with torch.no_grad():
        nodes, flat = torch.rand(2, 3, 26, 6), torch.randn(2, 3, 6)
        nodes[:, 0] = 0
        other = flat.clone()
        other[:, 0] = 5
        torch.testing.assert_close(network(nodes, flat), network(nodes, other))
