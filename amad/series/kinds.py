"""What kind of file it is: told by its first bytes, and only then by its name."""

from __future__ import annotations

import zipfile
from pathlib import Path

from amad.errors import InputError
from amad.series.binary import check_zip

_OTHERS = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\x89HDF", "an HDF5 file"),
    (b"CDF\x01", "a NetCDF file"),
    (b"CDF\x02", "a NetCDF file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"OggS", "a sound"),
    (b"ID3", "a sound"),
    (b"RIFF", "a sound or film"),
    (b"\x80\x02", "a Python pickle, which could run code and is never read"),
    (b"\x80\x03", "a Python pickle, which could run code and is never read"),
    (b"\x80\x04", "a Python pickle, which could run code and is never read"),
    (b"\x80\x05", "a Python pickle, which could run code and is never read"),
)
_KNOWN = "CSV, TSV, Excel, Parquet, Feather, Arrow, NPZ and NPY"


def kind_of(file: Path) -> str:
    """One of text, excel, parquet, arrow, numpy, json; InputError for a file that is none of them."""
    with file.open("rb") as stream:
        head = stream.read(64)
    suffix = file.suffix.lower()
    if head.startswith(b"PAR1") or suffix in (".parquet", ".pq"):
        return "parquet"
    if head.startswith((b"ARROW1", b"FEA1", b"\xff\xff\xff\xff")) or suffix in (".feather", ".arrow", ".ipc"):
        return "arrow"
    if head.startswith(b"\x93NUMPY") or suffix in (".npy", ".npz"):
        return "numpy"
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(file)
    if head.startswith(b"\xd0\xcf\x11\xe0") or suffix in (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"):
        return "excel"
    for start, what in _OTHERS:
        # Two letters may also begin a header; a binary file has bytes that text never has.
        if head.startswith(start) and (len(start) > 3 or any(byte < 9 for byte in head)):
            raise InputError(f"{file.name}: is {what}, not a table. AMAD reads {_KNOWN}.")
    if head[5:9] == b"\0\0\0{":  # the length of the description, then the description
        raise InputError(f"{file.name}: is a safetensors file, not a table. AMAD reads {_KNOWN}.")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise InputError(f"{file.name}: is a web page or XML, not a table. AMAD reads {_KNOWN}.")
    if suffix == ".json" or (suffix != ".csv" and head.lstrip().startswith((b"{", b"[["))):
        return "json"
    return "text"


def _zip_kind(file: Path) -> str:
    names = [member.filename for member in check_zip(file)]
    if any(name.startswith("xl/") or name == "content.xml" for name in names):
        return "excel"
    if names and all(name.endswith(".npy") for name in names):
        return "numpy"
    with zipfile.ZipFile(file) as archive:
        shown = ", ".join(archive.namelist()[:3])
    raise InputError(f"{file.name}: is a zip archive ({shown}), not a table. Unpack it; AMAD reads {_KNOWN}.")
