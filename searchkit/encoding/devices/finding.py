"""The devices of this machine: which may be asked for, and which there are."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Literal, get_args

from searchkit.core.errors import BadInput, check_choice
from searchkit.core.messages import Message

Accelerator = Literal["cuda", "mps"]
# Where texts are embedded; "auto" chooses between the CPU and the accelerator by the work.
Device = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: tuple[Device, ...] = get_args(Device)


def guess_accelerator() -> Accelerator | None:
    """Guess which accelerator torch would find, without importing torch, which takes seconds."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return "mps"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):  # hidden by the user, or by Ray
        return None
    has_nvidia = Path("/dev/nvidia0").exists() or (
        sys.platform == "win32" and shutil.which("nvidia-smi")
    )
    return "cuda" if has_nvidia else None


def has_accelerator(device: Accelerator) -> bool:
    """Whether torch can use an accelerator; this imports torch."""
    import torch

    return bool(getattr(torch, device).is_available())


def check_device(device: Device) -> None:
    """Check that a device may be asked for and is there; this imports torch for an accelerator.

    Raises:
        BadInput: If there is no such device.
    """
    check_choice("device", device, DEVICES)
    if device == "auto" or device == "cpu" or has_accelerator(device):
        return
    import torch

    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1") and device == "cuda"
    reason = "CUDA_VISIBLE_DEVICES hides it" if hidden else f"says torch {torch.__version__}"
    raise BadInput(
        Message(
            "there is no {device} on this machine, {reason}; leave `device` out, or choose "
            "`device='cpu'`",
            device=device,
            reason=reason,
        )
    )
