"""Names that demonstrations in cards use: modules that need no introduction, and calls that load or read."""

from metrics.words import words

MODULES = words(
    "accelerate albumentations auto_gptq bitsandbytes coremltools ctranslate2 ctransformers cv2 datasets diffusers "
    "einops evaluate faiss fairseq fastai flair flax fsspec gensim gradio huggingface_hub imageio ipywidgets jax "
    "joblib keras keras_nlp langchain librosa lightning llama_cpp matplotlib nemo nltk numpy onnx onnxruntime "
    "open_clip openai openvino optimum paddle pandas peft PIL plotly pydantic pytorch_lightning requests safetensors "
    "scipy seaborn sentence_transformers sentencepiece seqeval skimage sklearn soundfile spacy speechbrain streamlit "
    "tensorflow tensorflow_hub timm tokenizers torch torchaudio torchvision tqdm transformers trl ultralytics unsloth "
    "vllm wandb whisper xgboost yaml"
)
"""Modules anyone in the field can install by name without being told."""

LOADERS = words(
    "CrossEncoder FlagModel GLiNER InferenceClient LLM Llama SentenceTransformer SequenceTagger SparseEncoder "
    "WhisperModel YOLO create_model create_model_and_transforms from_hparams from_pretrained from_pretrained_keras "
    "get_tokenizer hf_hub_download load load_from_hub load_model pipeline snapshot_download"
)
"""Functions of well known libraries that take a model's id."""

MODEL_ARGUMENTS = frozenset(
    {"", "model", "model_id", "model_name_or_path", "name", "pretrained_model_name_or_path", "repo_id", "source"}
)
"""Keywords under which loaders take the id; empty for a positional argument."""

READERS = words("from_file imread load_audio load_image loadtxt open read read_csv read_json transcribe")
"""Functions that read a file whose path they are given."""

MODULE_OF = {"opencv-python": "cv2", "pillow": "PIL", "pyyaml": "yaml", "scikit-learn": "sklearn"}
"""Packages whose module has another name."""
