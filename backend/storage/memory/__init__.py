"""Storage in the process's own memory: gone with it, and complete in everything else."""

from backend.storage.memory.blobs import MemoryBlobs
from backend.storage.memory.store import MemoryStore

__all__ = ["MemoryBlobs", "MemoryStore"]
