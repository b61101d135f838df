"""Bytes of a text file as UTF-8: unpacked, decoded, and with a limit on what a small file may grow to."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from amad.errors import InputError
from amad.series.series import Finding

UNPACKED_RATIO = 100  # a packed file that grows beyond this ...
UNPACKED_BYTES = 64 << 20  # ... and beyond this is taken for a bomb
_CHUNK = 1 << 20
_SAMPLE = 1 << 18


def too_large(file: Path, unpacked: int, packed: int) -> bool:
    """Whether an unpacked size is out of all proportion to the file's."""
    return unpacked > UNPACKED_BYTES and unpacked > UNPACKED_RATIO * max(packed, 1)


def bomb(file: Path) -> InputError:
    """The error of a file that unpacks to far more than it should."""
    return InputError(
        f"{file.name}: unpacks to more than {UNPACKED_RATIO} times its size, which tables do not. "
        "Unpack it yourself if it is sound."
    )


class Chunks(io.RawIOBase):
    """A readable stream over byte chunks that are made while they are read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


@dataclass
class TextSource:
    """A text file, its encoding, and whether it is gzipped; every `open` starts at its beginning."""

    file: Path
    encoding: str
    compressed: bool
    mark: int = 0  # bytes of a byte order mark
    findings: list[Finding] = field(default_factory=list)
    done: int = 0  # bytes of the file that were read since it was last opened

    @classmethod
    def detect(cls, file: Path, encoding: str | None) -> TextSource:
        """Finds packing and encoding from the head of the file; a given encoding is taken as it is."""
        with file.open("rb") as stream:
            compressed = stream.read(2) == b"\x1f\x8b"
        source = cls(file, "utf-8", compressed)
        head = b""
        for chunk in source._bytes():
            head += chunk
            if len(head) >= _SAMPLE:
                break
        head = head[:_SAMPLE]
        source._choose(head, encoding)
        return source

    def _choose(self, head: bytes, encoding: str | None) -> None:
        for mark, name in (
            (codecs.BOM_UTF8, "utf-8"),
            (codecs.BOM_UTF32_LE, "utf-32-le"),
            (codecs.BOM_UTF32_BE, "utf-32-be"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
        ):
            if head.startswith(mark):
                self.mark, self.encoding = len(mark), name
                break
        else:
            self.encoding = _guess(head) if encoding is None else self.encoding
            if encoding is None and self.encoding != "utf-8" and not self.encoding.startswith("utf-16"):
                self.findings.append(
                    Finding(
                        "encoding",
                        f"The text is not UTF-8; {self.encoding} fits it best.",
                        action=f"Read as {self.encoding}.",
                        alternatives=("Name the encoding",),
                    )
                )
        if encoding is not None:
            try:
                found = codecs.lookup(encoding)
                "".encode(encoding)
            except (LookupError, ValueError) as error:
                raise InputError(
                    f"{self.file.name}: {encoding[:40]!r} is not an encoding of text. Try utf-8, cp1252 or utf-16."
                ) from error
            if not self.mark or found.name.replace("-sig", "") not in ("utf-8", "utf-16", "utf-32", self.encoding):
                self.encoding = {"utf-8-sig": "utf-8"}.get(found.name, found.name)
            if self.encoding == "utf-8" and not _decodes(head, "utf-8"):
                raise InputError(f"{self.file.name}: not text in utf-8. Name the right encoding.")
        if not self.encoding.startswith(("utf-16", "utf-32")) and b"\0" in head:
            row = head[: head.index(b"\0")].count(b"\n") + 1
            raise InputError(
                f"{self.file.name}, row {row}: holds a NUL byte, so it is not plain text. "
                "Export it again as CSV, or name its encoding."
            )

    def _bytes(self) -> Iterator[bytes]:
        """The unpacked bytes; InputError where the packing is broken or grows out of proportion."""
        if not self.compressed:
            with self.file.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    self.done = stream.tell()
                    yield chunk
            return
        packed = self.file.stat().st_size
        unpacked = 0
        try:
            with self.file.open("rb") as raw, gzip.open(raw, "rb") as stream:
                while chunk := stream.read(_CHUNK):
                    unpacked += len(chunk)
                    self.done = raw.tell()
                    if too_large(self.file, unpacked, packed):
                        raise bomb(self.file)
                    yield chunk
        except (EOFError, zlib.error, OSError) as error:
            raise InputError(
                f"{self.file.name}: the gzip packing is cut off or damaged ({error}). Copy or download the file again."
            ) from error

    def _utf8(self) -> Iterator[bytes]:
        """The text as UTF-8 without its byte order mark."""
        chunks = self._bytes()
        skip = self.mark
        if self.encoding in ("utf-8", "ascii"):
            for chunk in chunks:
                yield chunk[skip:]
                skip = 0
            return
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="strict")
        read = 0
        try:
            for chunk in chunks:
                yield decoder.decode(chunk[skip:]).encode("utf-8")
                read += len(chunk)
                skip = 0
            yield decoder.decode(b"", final=True).encode("utf-8")
        except (UnicodeError, ValueError) as error:
            raise InputError(
                f"{self.file.name}: not text in {self.encoding} (near byte {read}). Name the right encoding."
            ) from error

    def _lines(self, squeeze: bool, skip: int) -> Iterator[bytes]:
        """The text after `skip` lines; with `squeeze`, runs of white space within a line become one space."""
        rest = b""
        for chunk in self._utf8():
            data = rest + chunk
            while skip:
                found = re.search(rb"\r\n|\n|\r(?!\n|\Z)", data)
                if found is None:
                    break
                data, skip = data[found.end() :], skip - 1
            if skip:
                rest = data
                continue
            if not squeeze:
                rest = b""
                yield data
                continue
            cut = data.rfind(b"\n") + 1
            rest = data[cut:]
            yield b"".join(b" ".join(line.split()) + b"\n" for line in data[:cut].splitlines())
        if rest and not skip:
            yield b" ".join(rest.split()) + b"\n" if squeeze else rest

    def open(self, squeeze: bool = False, skip: int = 0) -> IO[bytes]:
        """A stream of the text as UTF-8, after `skip` lines."""
        return io.BufferedReader(Chunks(self._lines(squeeze, skip)), _CHUNK)

    def head(self, size: int) -> tuple[str, bool]:
        """The first characters of the text, and whether that is all of it."""
        with self.open() as stream:
            data = stream.read(size)
            whole = len(data) < size or not stream.read(1)
        return data.decode("utf-8", errors="ignore" if not whole else "replace"), whole


def _guess(head: bytes) -> str:
    """The likeliest encoding of text without a byte order mark."""
    if not head:
        return "utf-8"
    if b"\0" in head[:2000]:
        even, odd = head[0:2000:2].count(0), head[1:2000:2].count(0)
        if odd > 0.4 * len(head[1:2000:2]) and even == 0:
            return "utf-16-le"
        if even > 0.4 * len(head[0:2000:2]) and odd == 0:
            return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head, final=False)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    # Only lines with more than ASCII tell encodings apart, and a few of them are enough.
    odd_lines = b"\n".join(line[:500] for line in head.split(b"\n") if not line.isascii())[:4000]
    best = from_bytes(odd_lines, cp_exclusion=["utf_7"]).best()
    if best is not None and best.encoding in ("cp1252", "latin_1", "cp1250", "iso8859_1"):
        return "cp1252" if _decodes(head, "cp1252") else "latin-1"
    for name in ("cp1252", *((best.encoding,) if best is not None else ()), "latin-1"):
        if _decodes(head, name):
            return name
    return "latin-1"


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(data, final=False)
    except (UnicodeError, LookupError):
        return False
    return True
