"""Make the bundled model's other formats, once: python prepare.py MODEL OUT TEXTS.

OUT/openvino is as sentence-transformers saves it, with its 8-bit network beside the exact one,
calibrated on answers (TEXTS, a folder with a CSV); OUT/fastembed has ONNX.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
COPIED = ("config.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json")


def openvino(model: str, out: str, texts: str) -> None:
    """Save the model for the backend OpenVINO, and quantized by sentence-transformers itself."""
    from sentence_transformers import SentenceTransformer, export_static_quantized_openvino_model

    encoder = SentenceTransformer(
        model, device="cpu", backend="openvino", model_kwargs={"export": True}
    )
    encoder.save_pretrained(out)
    export_static_quantized_openvino_model(
        encoder,
        None,
        out,
        dataset_name=texts,
        dataset_config_name="default",
        dataset_split="train",
        column_name="answer",
    )


def onnx(model: str, out: Path) -> None:
    """Save the transformer as ONNX, in single precision: tokens in, their vectors out."""
    import torch
    from transformers import AutoModel

    class Transformer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(model, attn_implementation="eager").eval()

        def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> object:
            # A mask of 4 axes is taken as it is; making one of 2 axes can't be traced.
            hidden = (1 - mask)[:, None, None, :] * torch.finfo(torch.float32).min
            return self.model(ids, hidden, types).last_hidden_state

    out.mkdir()
    ones, output = torch.ones((2, 16), dtype=torch.long), "last_hidden_state"
    torch.onnx.export(
        Transformer(),
        (ones, ones, ones * 0),
        out / "model.onnx",
        input_names=list(INPUTS),
        output_names=[output],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (*INPUTS, output)},
        dynamo=False,
    )
    for name in COPIED:
        shutil.copy(Path(model) / name, out / name)


if __name__ == "__main__":
    source, target, answers = sys.argv[1:]
    openvino(source, f"{target}/openvino", answers)
    onnx(source, Path(target) / "fastembed")
