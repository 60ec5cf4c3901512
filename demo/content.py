"""A file's bytes, made on the fly: what is written down, then deterministic filler up to the stated size."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

_UNIT_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 20
_SAFETENSORS_HEADER_BYTES = 512
_BYTES_PER_NUMBER = {"F32": 4, "F16": 2, "BF16": 2, "I8": 1}
_MAGIC = {
    ".gguf": b"GGUF\x03\0\0\0" + bytes(16),
    ".onnx": b"\x08\x08\x12\x07pytorch",
    ".parquet": b"PAR1",
    ".pkl": b"\x80\x04\x95",
    ".bin": b"PK\x03\x04",
    ".pt": b"PK\x03\x04",
    ".h5": b"\x89HDF\r\n\x1a\n",
}


@dataclass(frozen=True, slots=True)
class Content:
    """A file of `size_bytes`: `head` as it stands, the rest filler that depends on nothing but `seed`.

    `large` files are kept by a hub as LFS objects, known by their SHA-256; the others are plain git blobs.
    """

    head: bytes
    size_bytes: int
    seed: str = ""
    large: bool = False

    def chunks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `start` up to but not including `end`, at most a mebibyte at a time."""
        stop = self.size_bytes if end is None else min(end, self.size_bytes)
        if start < len(self.head):
            yield self.head[start : min(stop, len(self.head))]
            start = len(self.head)
        while start < stop:
            skip = start % _UNIT_BYTES
            chunk = _filler(self.seed)[skip : skip + min(_CHUNK_BYTES, stop - start)]
            yield chunk
            start += len(chunk)

    def read(self, start: int = 0, end: int | None = None) -> bytes:
        """Return the bytes from `start` up to `end` at once."""
        return b"".join(self.chunks(start, end))


def text(body: str | bytes) -> Content:
    """A file whose bytes are all written down."""
    data = body.encode() if isinstance(body, str) else body
    return Content(data, len(data))


def generated(path: str, size_bytes: int, *, seed: str = "", dtype: str = "F32") -> Content:
    """A large file of `size_bytes` that begins as its suffix promises: a `.safetensors` can be opened by its library.

    `dtype` is the type of the numbers in it. The filler depends on `seed` and `path`.
    """
    suffix = PurePosixPath(path).suffix
    head = _safetensors_head(path, size_bytes, dtype) if suffix == ".safetensors" else _MAGIC.get(suffix, b"")
    return Content(head[:size_bytes], size_bytes, f"{seed}/{path}", large=True)


@cache
def sha256(content: Content) -> str:
    """The true SHA-256 of the bytes that are served; about half a second a gigabyte the first time, then free."""
    digest = hashlib.sha256()
    for chunk in content.chunks():
        digest.update(chunk)
    return digest.hexdigest()


@cache
def git_blob(content: Content) -> str:
    """The id git gives this blob; of a large file, to the LFS pointer that stands for it in the tree."""
    data = pointer(content) if content.large else content.read()
    return git_object("blob", data)


def pointer(content: Content) -> bytes:
    """The LFS pointer that git keeps in a large file's place."""
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(content)}\nsize {content.size_bytes}\n"
    ).encode()


def git_object(kind: str, data: bytes) -> str:
    """The id git gives an object: SHA-1 over its kind, its length and its bytes."""
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


def parameters(content: Content) -> dict[str, int]:
    """How many numbers of each type a safetensors file says it holds."""
    length = int.from_bytes(content.head[:8], "little")
    header = json.loads(content.head[8 : 8 + length])
    counts: dict[str, int] = {}
    for name, tensor in header.items():
        if name != "__metadata__":
            first, last = tensor["data_offsets"]
            counts[tensor["dtype"]] = (
                counts.get(tensor["dtype"], 0) + (last - first) // _BYTES_PER_NUMBER[tensor["dtype"]]
            )
    return counts


@cache
def _filler(seed: str) -> bytes:
    """A unit of noise, repeated to a chunk and one unit more, so that a chunk can begin anywhere in it."""
    unit = hashlib.shake_256(seed.encode()).digest(_UNIT_BYTES)
    return unit * (_CHUNK_BYTES // _UNIT_BYTES + 1)


def _safetensors_head(path: str, size_bytes: int, dtype: str) -> bytes:
    """The length-prefixed JSON header of a file with two tensors that fill it to the last byte."""
    width = _BYTES_PER_NUMBER[dtype]
    length = _SAFETENSORS_HEADER_BYTES + (size_bytes - 8 - _SAFETENSORS_HEADER_BYTES) % width
    numbers = (size_bytes - 8 - length) // width
    if numbers < 1:
        raise ValueError(f"{path}: {size_bytes} bytes is too small for a safetensors file")
    stem = PurePosixPath(path).stem.replace("-", "_")
    split, end = numbers // 4 * width, numbers * width
    header = {
        "__metadata__": {"format": "pt"},
        f"{stem}.embeddings.weight": {"dtype": dtype, "shape": [numbers // 4], "data_offsets": [0, split]},
        f"{stem}.encoder.weight": {"dtype": dtype, "shape": [numbers - numbers // 4], "data_offsets": [split, end]},
    }
    return length.to_bytes(8, "little") + json.dumps(header).encode().ljust(length)
