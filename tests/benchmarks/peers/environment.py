# SPDX-License-Identifier: MIT
"""The virtual environment that holds the peers. Needs nothing but Python."""
import os
import subprocess
import sys
import venv

# Each is optional, but nothing can be checked without torch.
PACKAGES = {"numpy": "numpy", "torch": "torch", "openvino": "openvino", "onnx": "onnx", "onnxruntime": "onnxruntime",
            "ncnn": "ncnn"}


def enter(folder, install=True):
    """Goes on in the Python of `folder`, an environment that is made and filled where it is not; what
    PyPI does not have for this machine is named and left out."""
    python = folder / "bin" / "python"
    if os.path.realpath(sys.prefix) == os.path.realpath(folder):
        return
    if not python.exists():
        venv.create(folder, with_pip=True)
    for module, package in PACKAGES.items() if install else ():
        present = [python, "-c", f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)"]
        if subprocess.run(present).returncode == 0:
            continue
        print(f"installing {package} into {folder}", file=sys.stderr)
        # ncnn asks for packages of its examples, OpenCV among them.
        only = ["--no-deps"] if package == "ncnn" else []
        if subprocess.run([python, "-m", "pip", "install", "--quiet", *only, package]).returncode != 0:
            print(f"{package} cannot be installed and is left out", file=sys.stderr)
    os.execv(python, [python, *sys.argv])
