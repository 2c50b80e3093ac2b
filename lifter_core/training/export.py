"""A trained network as shipped files: NAME.safetensors, NAME.onnx and NAME.json, equal within 0.1 mm.

Matrices are kept with 16 bits, which halves the files and moves no joint by 0.1 mm; both backends widen them when they load.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from ..files import replaced
from ..normalise import PLAIN_CHANNELS
from ..skeleton import JOINT_NAMES
from .trainer import Config

_TOLERANCE = 1e-4  # metres


def example_input(config: Config, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random nodes and globals of the shapes that the config's network takes."""
    arguments = config.arguments
    window = (len(config.taps()),) if config.taps() else ()
    nodes = torch.randn(count, *window, len(JOINT_NAMES), arguments.get("channels", PLAIN_CHANNELS))
    return nodes, torch.randn(count, *window, arguments.get("global_channels", PLAIN_CHANNELS))


def rounded(network: nn.Module) -> dict[str, torch.Tensor]:
    """The network's state with its matrices (what has two axes and more) as 16 bits; the network is set to the same values."""
    state = {k: v.half() if v.is_floating_point() and v.dim() > 1 else v for k, v in network.state_dict().items()}
    network.load_state_dict(state)
    return {k: v.contiguous() for k, v in state.items()}


def _widened_on_load(model: Any) -> None:
    """Keeps the ONNX model's matrices with 16 bits, each behind a cast that the runtime does once, when it loads."""
    import onnx

    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) > 1:
            name = tensor.name
            half = onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor).astype(np.float16), f"{name}.half")
            tensor.CopyFrom(half)
            casts.append(onnx.helper.make_node("Cast", [half.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])


def export(network: nn.Module, config: Config, name: str, folder: Path) -> None:
    """Writes the three files, each to a temporary name first.

    Raises:
        RuntimeError: the ONNX file does not say what the network says.
    """
    import onnxruntime

    folder.mkdir(parents=True, exist_ok=True)
    network.eval()
    state = rounded(network)
    example = example_input(config, 5)
    batch = torch.export.Dim("batch", min=1)
    program = torch.onnx.export(
        network,
        example,
        dynamo=True,
        input_names=["nodes", "globals"],
        output_names=["joints"],
        dynamic_shapes=({0: batch}, {0: batch}),
        external_data=False,
        optimize=False,  # the runtime does it, and what is fused here would no longer fit 16 bits
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    for part in (
        model,
        model.graph,
        *model.graph.node,
        *model.graph.value_info,
        *model.graph.input,
        *model.graph.output,
    ):
        del part.metadata_props[
            :
        ]  # the exporter notes where each node came from: source lines with this machine's paths
        part.doc_string = ""
    _widened_on_load(model)
    onnx = model.SerializeToString()
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    nodes, flat = example_input(config, 100)
    with torch.inference_mode():
        want = network(nodes, flat).numpy()
    got = session.run(None, {"nodes": nodes.numpy(), "globals": flat.numpy()})[0]
    if (worst := float(np.abs(want - got).max())) > _TOLERANCE:
        raise RuntimeError(f"the ONNX file differs from the network by {worst * 1000:.3f} mm")
    weights = save(state)
    for suffix, content in ((".onnx", onnx), (".safetensors", weights)):
        with replaced(folder / f"{name}{suffix}") as temporary:
            temporary.write_bytes(content)
    write_card(config, network, name, folder)


def write_card(config: Config, network: nn.Module, name: str, folder: Path) -> None:
    """NAME.json: what builds the network and what it was trained with; benchmarks/ adds the figures."""
    path = folder / f"{name}.json"
    card = json.loads(path.read_text()) if path.exists() else {}
    arguments = config.network_arguments()
    card |= {
        "network": config.network,
        "arguments": arguments,
        "parameters": sum(p.numel() for p in network.parameters()),
        "training": {"samples": config.samples, "batch": config.batch, "rate": config.rate, "seed": config.seed},
        "command": f"lifter-train {name} --data MOCAP --pairs PAIRS --export lifter_core/weights",
    }
    with replaced(path) as temporary:
        temporary.write_text(json.dumps(card, indent=1) + "\n")
