"""Pictures that people send, made anew: small, upright, and without anything that hides in them.

What a file is called, or says that it is, counts for nothing; what Pillow makes of its bytes does.
"""

import asyncio
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from io import BytesIO

from PIL import Image, ImageOps

from app.errors import Problem

FORMATS = ("JPEG", "PNG", "WEBP")
MEDIA_TYPE = "image/webp"  # what comes out: with or without transparency, and every browser since 2020 shows it
SUFFIX = ".webp"
MAX_PIXELS = 36_000_000  # 6,000 by 6,000; four bytes each while one is made smaller
SIDE = 512  # pixels, at most, of what is kept

# What Pillow raises for bytes that are not what they say.
BROKEN = (
    OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, MemoryError, struct.error, zlib.error,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip

# One at a time: it takes memory, and the processor from everybody else.
_gate = ThreadPoolExecutor(max_workers=1, thread_name_prefix="images")


class NotAnImage(Problem):
    """Not one of FORMATS, damaged, or too large to look at."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


async def remade(content: bytes) -> bytes:
    """The picture as a small one of MEDIA_TYPE.

    Errors: NotAnImage.
    """
    return await asyncio.get_running_loop().run_in_executor(_gate, _remade, content)


def _remade(content: bytes) -> bytes:
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:  # known from its header: nothing is decoded yet
                raise NotAnImage(f"The picture is too large: {MAX_PIXELS:,} pixels at most.")
            return _small(image)
    except BROKEN as error:
        raise NotAnImage("A JPEG, PNG or WebP picture is wanted, and this is none, or it is damaged.") from error


def _small(image: Image.Image) -> bytes:
    image.draft("RGB", (SIDE, SIDE))  # a JPEG is decoded small
    image.thumbnail((SIDE, SIDE))
    upright = ImageOps.exif_transpose(image).convert("RGBA" if image.has_transparency_data else "RGB")
    output = BytesIO()
    # Pillow writes what was found beside the pixels where it is told to, and nobody tells it.
    Image.frombytes(upright.mode, upright.size, upright.tobytes()).save(output, "WEBP", quality=82)
    return output.getvalue()
