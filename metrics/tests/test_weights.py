"""The smallest complete set of weights, over the layouts that repositories have."""

import pytest

from metrics.evidence import RepoFile
from metrics.weights import WeightFormat, WeightSet, smallest_complete, weight_paths


def found(*named: tuple[str, int]) -> WeightSet | None:
    return smallest_complete(RepoFile(path, size) for path, size in named)


CASES = [
    pytest.param([("model.safetensors", 440), ("pytorch_model.bin", 441), ("tf_model.h5", 536)], 440, id="formats"),
    pytest.param(
        [("model-00001-of-00002.safetensors", 5), ("model-00002-of-00002.safetensors", 3), ("original/a.00.pth", 9)],
        8,
        id="shards belong together",
    ),
    pytest.param(
        [("model-00001-of-00003.safetensors", 5), ("model-00003-of-00003.safetensors", 3), ("pytorch_model.bin", 99)],
        99,
        id="a missing shard is not complete",
    ),
    pytest.param([("consolidated.00.pth", 7), ("consolidated.01.pth", 7)], 14, id="consolidated parts"),
    pytest.param([("m.Q2_K.gguf", 4), ("m.Q8_0.gguf", 11)], 4, id="quantised gguf variants"),
    pytest.param(
        [("m.Q8_0-00001-of-00002.gguf", 4), ("m.Q8_0-00002-of-00002.gguf", 4), ("m.Q2_K.gguf", 5)], 5, id="split gguf"
    ),
    pytest.param([("onnx/model.onnx", 94), ("onnx/model_q4.onnx", 24)], 24, id="quantised onnx variants"),
    pytest.param([("onnx/model.onnx", 1), ("onnx/model.onnx_data", 90)], 91, id="onnx with data beside it"),
    pytest.param(
        [
            ("onnx/encoder_model.onnx", 10),
            ("onnx/decoder_model.onnx", 30),
            ("onnx/decoder_model_merged.onnx", 31),
            ("onnx/decoder_with_past_model.onnx", 28),
            ("onnx/encoder_model_int8.onnx", 3),
            ("onnx/decoder_model_int8.onnx", 8),
        ],
        11,
        id="an encoder needs a decoder of its precision",
    ),
    pytest.param([("decoder_model.onnx", 65), ("model.safetensors", 70)], 65, id="a decoder alone is a whole model"),
    pytest.param([("pytorch_model.bin", 9), ("training_args.bin", 1), ("optimizer.pt", 1)], 9, id="training leftovers"),
    pytest.param([("checkpoint-500/model.safetensors", 5), ("model.safetensors", 9)], 9, id="intermediate checkpoints"),
    pytest.param([("model.ckpt-10.data-00000-of-00001", 8), ("model.ckpt-10.index", 1)], 8, id="tensorflow checkpoint"),
    pytest.param([("c/x.mlpackage/Data/weights/weight.bin", 9), ("c/x.mlpackage/Manifest.json", 1)], 10, id="core ml"),
    pytest.param(
        [("model.safetensors", 9), ("1_Pooling/config.json", 1), ("2_Dense/model.safetensors", 2)], 11, id="st"
    ),
    pytest.param([("rust_model.ot", 6), ("flax_model.msgpack", 7), ("m.tflite", 5)], 5, id="other frameworks"),
]


@pytest.mark.parametrize(("named", "size"), CASES)
def test_smallest_complete_set(named: list[tuple[str, int]], size: int) -> None:
    chosen = found(*named)

    assert chosen is not None
    assert chosen.size_bytes == size == sum(file.size_bytes for file in chosen.files)


def test_components_of_a_diffusion_pipeline_belong_together() -> None:
    chosen = found(
        ("model_index.json", 1),
        ("unet/diffusion_pytorch_model.safetensors", 30),
        ("unet/diffusion_pytorch_model.fp16.safetensors", 15),
        ("vae/diffusion_pytorch_model.safetensors", 3),
        ("text_encoder/model.safetensors", 5),
        ("safety_checker/model.safetensors", 12),
        ("v1-5-pruned.ckpt", 77),
    )

    assert chosen is not None
    assert (chosen.format, chosen.size_bytes) == (WeightFormat.SAFETENSORS, 23)


def test_an_adapter_counts_only_where_no_full_weights_are_there() -> None:
    alone = found(("adapter_model.safetensors", 17))
    beside = found(("adapter_model.safetensors", 17), ("model.safetensors", 500))

    assert alone is not None
    assert alone.is_adapter
    assert beside is not None
    assert (beside.is_adapter, beside.size_bytes) == (False, 500)


@pytest.mark.parametrize(
    "named",
    [[], [("README.md", 5)], [("model-00001-of-00002.safetensors", 5)], [("model.safetensors", 0)], [("vocab.bin", 3)]],
    ids=["no files", "no weights", "half of the shards", "size not known", "a vocabulary"],
)
def test_no_complete_set(named: list[tuple[str, int]]) -> None:
    assert found(*named) is None


def test_weight_paths_lists_every_format_and_no_leftovers() -> None:
    names = ["model.safetensors", "pytorch_model.bin", "optimizer.pt", "config.json"]

    assert weight_paths(RepoFile(name, 1) for name in names) == {"model.safetensors", "pytorch_model.bin"}
