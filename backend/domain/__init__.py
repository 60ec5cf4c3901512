"""The nouns of the registry as frozen data; knows nothing of HTTP, storage or the outside world."""
