"""Archives (`.npz`) of images and results, changed as a user or an attacker may."""

import hashlib
import json
import zipfile

import numpy as np


def header_digest(header):
    """Return the digest that a header states of itself (synloom.image.image)."""
    rest = {key: value for key, value in header.items() if key != "header_digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:32]


def repacked(path, target, change=None, *, arrays=None, sign=False, text=None):
    """Write an image's file again, with a changed header, arrays or text of the header.

    With `sign` the header's own digest is right again, so that other checks are reached.
    """
    with np.load(path, allow_pickle=False) as file:
        parts = {name: file[name] for name in file.files}
    header = json.loads(parts.pop("header").tobytes())
    if change is not None:
        change(header)
    if sign:
        header["header_digest"] = header_digest(header)
    for name, function in (arrays or {}).items():
        parts[name] = function(parts[name])
    content = json.dumps(header).encode() if text is None else text
    np.savez_compressed(target, header=np.frombuffer(content, dtype=np.uint8), **parts)
    if target.suffix != ".npz":
        target.with_name(target.name + ".npz").rename(target)


def bomb(path, target, name, size):
    """Copy an archive, with a member of `size` bytes of zeros, which pack to a thousandth."""
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},), }}".encode().ljust(118) + b"\n"
    start = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head
    piece = bytes(1 << 20)
    with (
        zipfile.ZipFile(path) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for member in old.namelist():
            if member != f"{name}.npy":
                new.writestr(member, old.read(member))
        with new.open(f"{name}.npy", "w", force_zip64=True) as file:
            file.write(start)
            for _ in range(size >> 20):
                file.write(piece)
            file.write(bytes(size & ((1 << 20) - 1)))


def resigned(folder):
    """Give a folder of results the digests that its files now have."""
    listed = json.loads((folder / "digests.json").read_text())
    for name in listed["files"]:
        listed["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "digests.json").write_text(json.dumps(listed))
