"""The models, datasets and code that the API tests take in."""

from demo.items import Organisation, dataset, model, repository

HUB = "https://huggingface.co"
GITHUB = "https://github.com"

TINY = f"{HUB}/acme/tiny"
CHILD = f"{HUB}/acme/tiny-tuned"
GRANDCHILD = f"{HUB}/acme/tiny-tuned-more"
BARE = f"{HUB}/acme/bare"
GATED = f"{HUB}/acme/secret"
WORDS = f"{HUB}/datasets/acme/words"
TOOLS = f"{GITHUB}/acme/tools"
COPYLEFT = f"{GITHUB}/acme/copyleft"
NOWHERE = f"{HUB}/acme/nowhere"
KAGGLE = "https://www.kaggle.com/datasets/acme/birds"

TINY_FILES = {
    "config.json": {"model_type": "bert", "hidden_size": 4},
    "empty.txt": "",
    "größe/模型 card.txt": "a name that is not ASCII\n",
}
TINY_CARD = """---
license: mit
datasets: [acme/words]
pipeline_tag: fill-mask
---
# Tiny

The zebra model; its code is at https://github.com/acme/tools, evaluated on acme/words.
"""


def _child(parent: str, name: str) -> str:
    return f"---\nlicense: mit\nbase_model: {parent}\n---\n# {name}\n\nTuned.\n"


ORGANISATION = Organisation.of(
    model(
        "acme/tiny",
        readme=TINY_CARD,
        files=TINY_FILES,
        generated_files={"model.safetensors": 30_000},
        pipeline_tag="fill-mask",
        downloads=1_000,
        likes=10,
    ),
    model("acme/tiny-tuned", readme=_child("acme/tiny", "Tuned"), generated_files={"model.safetensors": 20_000}),
    model(
        "acme/tiny-tuned-more", readme=_child("acme/tiny-tuned", "More"), generated_files={"model.safetensors": 10_000}
    ),
    model("acme/bare", files={"notes.txt": "no card\n"}),
    model("acme/secret", readme="# Secret\n", gated="manual"),
    dataset("acme/words", readme="---\nlicense: cc0-1.0\n---\n# Words\n", files={"train.csv": "a,b\n1,2\n"}),
    repository(
        "acme/tools",
        files={"README.md": "# Tools\n", "train.py": "print('train')\n", "src/deep/module.py": "X = 1\n"},
        license="MIT",
    ),
    repository("acme/copyleft", files={"main.py": "pass\n"}, license="GPL-2.0"),
)
