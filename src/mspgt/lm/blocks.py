"""Find the blocks of a model by structure: the module list as long as the config says the model is deep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from mspgt.errors import ModelError

# What watches a residual stream: the layer, and the stream (B, T, d).
See = Callable[[int, Tensor], None]


def find_blocks(model: nn.Module, path: str | None = None) -> nn.ModuleList:
    """The L residual blocks of `model`, in order.

    The list is found by its length, `config.num_hidden_layers` (of the text part of the config); lists inside
    a candidate (experts, heads) do not count. `path` ("model.layers") names the list for a model where this
    finds none or several. Raises ModelError with the candidates.
    """
    depth = model.config.get_text_config().num_hidden_layers  # type: ignore[union-attr, operator]
    lists = {name: module for name, module in model.named_modules() if isinstance(module, nn.ModuleList)}
    if path is not None:
        if path not in lists:
            raise ModelError(f"No module list at blocks={path!r}. The model has: {_listing(lists)}.")
        if len(lists[path]) != depth:
            raise ModelError(
                f"The config says {depth} layers, but blocks={path!r} has {len(lists[path])}. "
                f"Name another list ({_listing(lists)}) or correct num_hidden_layers."
            )
        return lists[path]
    fitting = {name: module for name, module in lists.items() if len(module) == depth}
    outermost = [
        name
        for name in fitting
        if not any(name.startswith(other + ".") for other in fitting if other != name)
    ]
    if len(outermost) != 1:
        found = "none" if not outermost else ", ".join(outermost)
        raise ModelError(
            f"Expected exactly one module list of length {depth} (config.num_hidden_layers), found: {found}. "
            f"Name the list of blocks with blocks='dotted.path'; the model has: {_listing(lists)}."
        )
    return fitting[outermost[0]]


def _listing(lists: dict[str, nn.ModuleList]) -> str:
    return ", ".join(f"{name} ({len(module)})" for name, module in lists.items()) or "no module lists at all"


def block_input(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """The residual stream that enters a block, whether passed by position or by name."""
    stream = args[0] if args else kwargs.get("hidden_states")
    if not isinstance(stream, Tensor):
        raise ModelError(
            f"Expected a block to receive the residual stream first or as hidden_states, "
            f"found {type(stream)}. Name the right list with blocks='dotted.path'."
        )
    return stream


def block_output(output: Any) -> Tensor:
    """The residual stream that leaves a block: the tensor itself, or the first of a tuple."""
    stream = output[0] if isinstance(output, tuple) else output
    if not isinstance(stream, Tensor):
        raise ModelError(
            f"Expected a block to return the residual stream first, found {type(stream)}. "
            "Name the right list with blocks='dotted.path'."
        )
    return stream


@contextmanager
def residual_hooks(blocks: nn.ModuleList, enter: See, leave: See) -> Iterator[None]:
    """Call `enter(l, stream)` before and `leave(l, stream)` after block l = 1..L; removed on every exit."""
    handles: list[Any] = []
    try:
        for layer, block in enumerate(blocks, start=1):

            def before(_: nn.Module, args: Any, kwargs: Any, layer: int = layer) -> None:
                enter(layer, block_input(args, kwargs))

            def after(_: nn.Module, __: Any, output: Any, layer: int = layer) -> None:
                leave(layer, block_output(output))

            handles.append(block.register_forward_pre_hook(before, with_kwargs=True))
            handles.append(block.register_forward_hook(after))
        yield
    finally:
        for handle in handles:
            handle.remove()


def layer_of(name: str, blocks_path: str) -> str:
    """Where a parameter sits, in words: "block 4" or "outside the blocks"."""
    if name.startswith(blocks_path + "."):
        index = name[len(blocks_path) + 1 :].split(".", 1)[0]
        if index.isdigit():
            return f"block {int(index) + 1}"
    return "outside the blocks"


def path_of(model: nn.Module, module: nn.Module) -> str:
    """The dotted name of `module` inside `model`."""
    return next(name for name, candidate in model.named_modules() if candidate is module)
