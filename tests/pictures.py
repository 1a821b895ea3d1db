"""Pictures for tests, good ones and hostile ones."""

import struct
import zlib
from io import BytesIO

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: object) -> bytes:
    output = BytesIO()
    Image.new(mode, size, 128 if mode in ("L", "P", "1", "I;16") else None).save(output, kind, **options)
    return output.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    """A small file of many pixels: they are all the same, so they compress well."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = zlib.compress(b"\0" * 1_000_000, 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


SCRIPT = b"<html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'

# Name, content: what must be refused whatever it is called.
HOSTILE = {
    "html.png": SCRIPT,
    "svg.png": SVG,
    "svg.svg": b'<?xml version="1.0"?>' + SVG,
    "gif.gif": picture("GIF"),
    "gif-and-script.jpg": b"GIF89a/*" + SCRIPT + b"*/=1;",
    "jpeg-magic-and-html.jpg": b"\xff\xd8\xff\xe0" + SCRIPT,
    "png-magic-and-html.png": b"\x89PNG\r\n\x1a\n" + SCRIPT,
    "webp-magic-and-html.webp": b"RIFF\x20\0\0\0WEBPVP8 " + SCRIPT,
    "truncated.jpg": picture("JPEG", (400, 400))[:600],
    "truncated.png": picture("PNG", (400, 400))[:100],
    "truncated.webp": picture("WEBP", (400, 400))[:40],
    "bomb.png": png_that_says(50_000, 50_000),
    "smaller-bomb.png": png_that_says(7_000, 7_000),  # Pillow itself would take it
    "no-pixels.png": png_that_says(0, 0),
    "bitmap.bmp": picture("BMP"),
    "postscript.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "empty.png": b"",
}
