import warnings
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import HOSTILE, SCRIPT, picture
from PIL import Image

from app.http.images import SIDE, NotAnImage, _remade, remade


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_becomes_a_small_webp(kind: str) -> None:
    made = opened(await remade(picture(kind, (2000, 1000))))
    assert (made.format, made.size, made.mode) == ("WEBP", (SIDE, SIDE // 2), "RGB")


async def test_a_small_picture_is_not_blown_up() -> None:
    assert opened(await remade(picture("PNG", (40, 30)))).size == (40, 30)


@pytest.mark.parametrize("mode", ["RGBA", "L", "LA", "P", "1", "I;16"])
async def test_every_kind_of_png_is_understood(mode: str) -> None:
    made = opened(await remade(picture("PNG", mode=mode)))
    assert made.mode == ("RGBA" if mode in ("RGBA", "LA") else "RGB")


async def test_a_picture_of_a_printer_is_understood() -> None:
    assert opened(await remade(picture("JPEG", mode="CMYK"))).mode == "RGB"


async def test_a_picture_is_turned_upright_and_loses_what_is_written_in_it() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010E] = "taken at home"
    sent = picture("JPEG", (40, 20), exif=exif, comment=b"my address", icc_profile=b"a profile of my screen")
    assert b"taken at home" in sent
    made = await remade(sent)
    assert opened(made).size == (20, 40)
    assert not opened(made).getexif()
    assert not any(secret in made for secret in (b"home", b"address", b"profile", b"EXIF", b"ICCP"))


async def test_what_is_hidden_behind_a_picture_is_gone() -> None:
    made = await remade(picture("JPEG") + SCRIPT)
    assert b"script" not in made
    made = await remade(picture("JPEG", comment=SCRIPT))
    assert b"script" not in made


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_no_picture_is_refused(name: str) -> None:
    with pytest.raises(NotAnImage):
        await remade(HOSTILE[name])


async def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(NotAnImage, match="too large"):
        await remade(HOSTILE["smaller-bomb.png"])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([picture(kind, (64, 48), comment=b"x" * 20) for kind in ("JPEG", "PNG", "WEBP")]),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=4)), min_size=1, max_size=5),
)
def test_a_damaged_picture_is_a_picture_or_refused(content: bytes, damage: list[tuple[int, bytes]]) -> None:
    damaged = bytearray(content)
    for place, replacement in damage:
        start = place % len(content)
        damaged[start : start + len(replacement)] = replacement
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow tells what is odd about it
        try:
            made = _remade(bytes(damaged))
        except NotAnImage:
            return
    assert opened(made).format == "WEBP"
