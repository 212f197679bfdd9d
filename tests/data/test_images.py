"""Images: what is read of every kind of PNG and JPEG, and what is refused of files and directories."""

import io
import struct
import subprocess
import sys
import zlib
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from nncli.data import binary_files
from nncli.data.images import list_images, read_image, read_images
from nncli.data.source import SourceError
from nncli.errors import CommandLineError, MissingExtraError, StorageError

COLORS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
GRAY = np.random.default_rng(1).integers(0, 256, (6, 9), dtype=np.uint8)
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def encoded(image, form="PNG", **options):
    """The content of an image file."""
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, form, **options)
    return file.getvalue()


PNG, JPEG = encoded(COLORS), encoded(COLORS, "JPEG", quality=95)


def read(tmp_path, content, size=None, grayscale=False, invert=False, name="image.png"):
    (tmp_path / name).write_bytes(content)
    return read_image(tmp_path / name, size, grayscale, invert)


def luma(colors):
    """The naive formula of gray values, rounded."""
    return np.round(np.asarray(colors, float) @ [0.299, 0.587, 0.114])


def test_png_has_the_pixels_of_the_image(tmp_path):
    """Bit for bit, as bytes that may be changed."""
    pixels = read(tmp_path, PNG)
    np.testing.assert_array_equal(pixels, COLORS)
    assert (pixels.dtype, pixels.flags.writeable) == (np.uint8, True)


def test_jpeg_has_nearly_the_pixels_of_the_image(tmp_path):
    """It is compressed with loss; smooth images less than noise."""
    smooth = np.tile(np.arange(0, 160, 10, dtype=np.uint8)[:, None], (1, 16))
    pixels = read(tmp_path, encoded(smooth, "JPEG", quality=95), grayscale=True)
    np.testing.assert_allclose(pixels, smooth, atol=3)


@pytest.mark.parametrize("name", ["image.png", "image.JPG", "image", "image.gif"])
@pytest.mark.parametrize("content", [PNG, JPEG], ids=["PNG", "JPEG"])
def test_content_decides_on_the_format(tmp_path, name, content):
    """The name does not."""
    np.testing.assert_array_equal(read(tmp_path, content, name=name), read(tmp_path, content))


def test_gray_values_are_weighted_colors(tmp_path):
    """The weights are those of ITU-R 601, as OpenCV has them."""
    np.testing.assert_allclose(read(tmp_path, PNG, grayscale=True), luma(COLORS), atol=1)
    primaries = encoded(np.array([[RED, GREEN, BLUE]], np.uint8))
    assert read(tmp_path, primaries, grayscale=True).tolist() == [[76, 150, 29]]


def test_gray_image_is_read_as_colors(tmp_path):
    """All three are the gray value, and back."""
    np.testing.assert_array_equal(read(tmp_path, encoded(GRAY)), np.dstack([GRAY] * 3))
    np.testing.assert_array_equal(read(tmp_path, encoded(GRAY), grayscale=True), GRAY)


def test_inverted_image_exchanges_light_and_dark(tmp_path):
    """255 − x, after everything else."""
    for arguments in ({}, {"grayscale": True}, {"grayscale": True, "size": (3, 3)}):
        pixels = read(tmp_path, PNG, **arguments)
        np.testing.assert_array_equal(read(tmp_path, PNG, **arguments, invert=True), 255 - pixels)


def test_image_is_resized_to_height_and_width(tmp_path):
    """Each pixel is that at the same place: upper half black, lower half white."""
    halves = np.repeat(np.array([0, 255], np.uint8), 20)[:, None].repeat(10, axis=1)  # (40, 10)
    pixels = read(tmp_path, encoded(halves), (4, 6), grayscale=True)
    assert pixels.shape == (4, 6)
    assert (pixels[0] < 10).all()
    assert (pixels[3] > 245).all()
    assert read(tmp_path, encoded(halves), (4, 6)).shape == (4, 6, 3)
    np.testing.assert_array_equal(read(tmp_path, encoded(GRAY), (6, 9), grayscale=True), GRAY)


def test_reduced_image_averages_all_of_its_pixels(tmp_path):
    """A fine pattern becomes gray instead of a random choice of its pixels."""
    pattern = np.indices((280, 280)).sum(axis=0).astype(np.uint8) % 2 * 255
    np.testing.assert_allclose(read(tmp_path, encoded(pattern), (28, 28), grayscale=True), 127, atol=3)


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (2, (0, 2)), (3, (1, 2)), (6, (0, 1)), (8, (2, 0))])
def test_image_is_rotated_as_it_is_displayed(tmp_path, orientation, corner):
    """The white pixel is where a viewer shows it; the sides are exchanged by a quarter turn."""
    pixels = np.zeros((2, 3), np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = read(tmp_path, encoded(pixels, exif=exif), grayscale=True)
    assert found.shape == ((3, 2) if orientation > 4 else (2, 3))
    assert np.argwhere(found).tolist() == [list(corner)]


def test_damaged_exif_data_are_ignored(tmp_path):
    """They do not concern the pixels."""
    np.testing.assert_array_equal(read(tmp_path, encoded(COLORS, exif=b"Exif\0\0nonsense")), COLORS)


def transparent(mode, *pixels):
    """An image of one row."""
    image = Image.new(mode, (len(pixels), 1))
    image.putdata(pixels)
    return image


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded(transparent("RGBA", (0, 0, 0, 0), (9, 8, 7, 255))), [(255, 255, 255), (9, 8, 7)]),
        (encoded(transparent("LA", (0, 0), (9, 255), (0, 128))), [(255,) * 3, (9,) * 3, (127,) * 3]),
        (encoded(transparent("RGB", RED, GREEN), transparency=RED), [(255,) * 3, GREEN]),
        (encoded(transparent("L", 7, 8), transparency=7), [(255,) * 3, (8,) * 3]),
    ],
    ids=["RGBA", "gray with alpha", "transparent color", "transparent gray"],
)
def test_transparent_pixels_are_white(tmp_path, content, expected):
    """As a viewer shows them, whatever color is below."""
    assert read(tmp_path, content).tolist() == [[list(each) for each in expected]]
    np.testing.assert_allclose(read(tmp_path, content, grayscale=True), [luma(expected)], atol=1)


def test_palette_is_resolved(tmp_path):
    """To its colors, or white for a transparent entry."""
    image = transparent("RGB", RED, GREEN, RED).quantize(2)
    assert read(tmp_path, encoded(image)).tolist() == [[list(RED), list(GREEN), list(RED)]]
    entry = image.getpixel((1, 0))
    found = read(tmp_path, encoded(image, transparency=entry)).tolist()
    assert found == [[list(RED), [255, 255, 255], list(RED)]]


def test_one_bit_is_black_or_white(tmp_path):
    """0 and 255, not 0 and 1."""
    assert read(tmp_path, encoded(transparent("1", 0, 1)), grayscale=True).tolist() == [[0, 255]]


@pytest.mark.parametrize("grayscale", [True, False])
def test_upper_8_of_16_bits_are_read(tmp_path, grayscale):
    """Pillow itself would make 255 of all values above 255."""
    pixels = np.array([[0, 255, 256, 0x1234, 65535]], np.uint16)
    found = read(tmp_path, encoded(pixels), grayscale=grayscale)
    assert found.reshape(5, -1)[:, 0].tolist() == [0, 0, 1, 0x12, 255]


def test_cmyk_is_converted(tmp_path):
    """Printers' JPEG files: no ink is white, all black ink is black."""
    image = Image.new("CMYK", (32, 16), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (16, 0, 32, 16))
    for grayscale in (True, False):
        pixels = read(tmp_path, encoded(image, "JPEG"), grayscale=grayscale)
        assert pixels[:, :8].min() > 250
        assert pixels[:, 24:].max() < 5


def test_first_picture_of_a_photo_is_read(tmp_path):
    """Cameras store a preview behind the photo, in the same JPEG file."""
    photo, preview = Image.new("RGB", (16, 16), RED), Image.new("RGB", (8, 8), BLUE)
    pixels = read(tmp_path, encoded(photo, "MPO", save_all=True, append_images=[preview]))
    assert pixels.shape == (16, 16, 3)
    np.testing.assert_allclose(pixels[8, 8], RED, atol=3)


def chunk(name, data):
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width, height, data=b"", depth=8, color=0):
    """A PNG file of this size, whose data may be those of a smaller one."""
    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + start + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


ANIMATION = encoded(COLORS, save_all=True, append_images=[Image.new("RGB", (9, 6))] * 2)
NO_IMAGE = "not a PNG or JPEG image, or its start is damaged"
DAMAGED = {
    "empty": (b"", NO_IMAGE),
    "text": (b"not an image", NO_IMAGE),
    "GIF": (encoded(GRAY, "GIF"), NO_IMAGE),
    "BMP": (encoded(GRAY, "BMP"), NO_IMAGE),
    "TIFF": (encoded(GRAY, "TIFF"), NO_IMAGE),
    "signature only": (PNG[:8], NO_IMAGE),
    "PNG cut short": (PNG[: len(PNG) // 2], "a damaged image: image file is truncated"),
    "JPEG cut short": (JPEG[: len(JPEG) - 20], "a damaged image: image file is truncated"),
    "JPEG without its end": (JPEG[:-2], "a damaged image: image file is truncated"),
    "PNG without data": (png_of(4, 4), "a damaged image: image file is truncated"),
    "PNG of no size": (png_of(0, 4), ""),
    "changed data": (PNG[:60] + b"xxxx" + PNG[64:], "a damaged image: "),
    "animation": (ANIMATION, "an animation of 3 images, expected one"),
    "bomb": (png_of(60_000, 60_000), "too large; Image size (3600000000 pixels) exceeds limit of 178956970 pixels"),
    "smaller bomb": (png_of(10_000, 10_000), "too large; Image size (100000000 pixels) exceeds limit of 89478485"),
    "16 bits and transparency": (
        encoded(np.array([[1, 2]], np.uint16), transparency=1),
        "16 bits per pixel and a transparent color; save it with 8 bits",
    ),
}


@pytest.mark.parametrize(("content", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_image_is_reported(tmp_path, content, message):
    """Each damage has its own message, with the path."""
    with pytest.raises(SourceError) as found:
        read(tmp_path, content)
    assert str(found.value).startswith(f"{tmp_path / 'image.png'}: {message}")
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("content", [PNG, JPEG], ids=["PNG", "JPEG"])
def test_shorter_file_is_never_another_image(tmp_path, content):
    """Cut at any byte, a file is damaged; only what follows the pixels of a PNG may be missing."""
    expected = read(tmp_path, content)
    for end in range(len(content)):
        try:
            pixels = read(tmp_path, content[:end])
        except SourceError:
            continue
        assert end > len(content) - 24
        np.testing.assert_array_equal(pixels, expected)


def test_changed_byte_of_a_png_is_never_another_image(tmp_path):
    """Its checksums are compared."""
    for offset in range(len(PNG)):
        damaged = PNG[:offset] + bytes([PNG[offset] ^ 0x21]) + PNG[offset + 1 :]
        try:
            pixels = read(tmp_path, damaged)
        except SourceError:
            continue
        np.testing.assert_array_equal(pixels, COLORS)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()], ids=["missing", "directory"])
def test_what_is_no_file_is_rejected(tmp_path, make):
    """As any data file."""
    make(tmp_path / "image.png")
    with pytest.raises(SourceError, match=r"image.png: "):
        read_image(tmp_path / "image.png", None, grayscale=True)


def test_missing_pillow_is_reported_with_the_extra_that_installs_it(tmp_path, monkeypatch):
    """Exit code 2: neither the config nor the data is wrong."""
    (tmp_path / "image.png").write_bytes(PNG)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"images need .*: pip install 'nncli\[images\]'") as found:
        read_image(tmp_path / "image.png", None, grayscale=True)
    assert (found.value.exit_code, found.value.extra) == (2, "images")
    assert isinstance(found.value, CommandLineError)


@pytest.mark.slow
def test_pillow_is_imported_by_the_first_image_only():
    """No command that reads no image pays for it."""
    code = "import sys, nncli.data.images; assert not any(name.startswith('PIL') for name in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def fill(directory, **classes):
    """A directory with empty files in a subdirectory for each class."""
    for name, files in classes.items():
        (directory / name).mkdir(parents=True)
        for file in files:
            (directory / name / file).touch()


def test_classes_are_the_subdirectories_by_name(tmp_path):
    """Images are sorted by class and name; suffixes in any case; hidden files and directories are ignored."""
    fill(tmp_path, trousers=["b.png", "a.JPEG", ".DS_Store"], dress=["10.jpg", "9.PNG"])
    fill(tmp_path, **{".git": ["x"], "bag": ["a.png"]})
    (tmp_path / ".hidden").touch()
    classes, paths, labels = list_images(tmp_path)
    assert classes == ["bag", "dress", "trousers"]
    names = ["bag/a.png", "dress/10.jpg", "dress/9.PNG", "trousers/a.JPEG", "trousers/b.png"]
    assert [str(path.relative_to(tmp_path)) for path in paths] == names
    assert labels.tolist() == [0, 1, 1, 2, 2]


def test_links_are_followed(tmp_path):
    """A class and an image may be links."""
    fill(tmp_path / "elsewhere", x=["a.png"])
    fill(tmp_path / "images", y=[])
    (tmp_path / "images/x").symlink_to(tmp_path / "elsewhere/x")
    (tmp_path / "images/y/b.png").symlink_to(tmp_path / "elsewhere/x/a.png")
    assert list_images(tmp_path / "images").labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("classes", "messages"),
    [
        ({}, ["{}: 0 subdirectories, expected two or more, one for each class"]),
        ({"a": ["1.png"]}, ["{}: 1 subdirectories, expected two or more, one for each class"]),
        ({"a": ["1.png"], "b": []}, ["{}/b: the class has no images; add some, or remove the directory"]),
        (
            {"a": ["1.png", "2.gif"], "b": ["1.png", "x.txt"]},
            [
                "{}/a/2.gif: not a file with the name of a PNG or JPEG image; remove or convert it",
                "{}/b/x.txt: not a file with the name of a PNG or JPEG image; remove or convert it",
            ],
        ),
        (
            {"a": ["1.png"], "b/c": ["1.png"], "b": ["1.png"]},
            ["{}/b/c: a directory in that of a class; move its images up"],
        ),
        (
            {"a": ["1.png"], "b\x1b\n": ["1.png"]},
            ["{}: the class 'b\\x1b\\n' has a name that is not printable"],
        ),
    ],
    ids=["empty", "one class", "empty class", "other files", "nested", "control characters"],
)
def test_wrong_directory_is_reported(tmp_path, classes, messages):
    """All problems at once, each with its path."""
    root = tmp_path / "images"
    root.mkdir()
    for name, files in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for file in files:
            (root / name / file).touch()
    with pytest.raises(SourceError) as found:
        list_images(root)
    assert str(found.value).splitlines() == [message.format(root) for message in messages]


def test_files_beside_the_classes_are_reported(tmp_path):
    """They would belong to no class."""
    fill(tmp_path, a=["1.png"], b=["1.png"])
    (tmp_path / "lost.png").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(SourceError) as found:
        list_images(tmp_path)
    expected = [f"{tmp_path / name}: a file beside the directories of the classes" for name in ("dangling", "lost.png")]
    assert str(found.value).splitlines() == expected


def test_many_problems_are_counted(tmp_path):
    """Twenty are shown."""
    fill(tmp_path, a=["1.png"], b=[f"{index:02}.gif" for index in range(30)])
    with pytest.raises(SourceError) as found:
        list_images(tmp_path)
    lines = str(found.value).splitlines()
    assert [len(lines), lines[-1]] == [21, "and 11 more problems"]
    assert all(one < other for one, other in pairwise(lines[:-1]))


@pytest.mark.parametrize("name", ["missing", "file"])
def test_missing_directory_is_reported(tmp_path, name):
    """Or a file in its place."""
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match=f"{name}: no such directory"):
        list_images(tmp_path / name)


def test_unreadable_directory_is_a_storage_error(tmp_path, monkeypatch):
    """With the path of the subdirectory."""
    fill(tmp_path, a=["1.png"], b=["1.png"])

    def refuse(path):
        if path.name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return iter([tmp_path / "a", tmp_path / "b"] if path == tmp_path else [path / "1.png"])

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    with pytest.raises(StorageError, match=r"b: Permission denied$"):
        list_images(tmp_path)


def saved(tmp_path, *images):
    """The paths of images, in files of their own."""
    paths = [tmp_path / f"{index}.png" for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        path.write_bytes(encoded(image))
    return paths


def test_images_are_one_array(tmp_path):
    """Gray and colored ones together, one after another."""
    paths = saved(tmp_path, COLORS, GRAY, COLORS[::-1])
    pixels = read_images(paths, None, grayscale=False)
    np.testing.assert_array_equal(pixels, [COLORS, np.dstack([GRAY] * 3), COLORS[::-1]])
    assert (pixels.dtype, read_images(paths, (4, 5), grayscale=True).shape) == (np.uint8, (3, 4, 5))


def test_different_sizes_are_reported_with_the_first_two(tmp_path):
    """With the key that makes them equal."""
    paths = saved(tmp_path, GRAY, GRAY, GRAY[:4], GRAY[:, :5])
    expected = f"{paths[0]} has 6 × 9 and {paths[2]} has 4 × 9 pixels (height × width); set size"
    with pytest.raises(SourceError) as found:
        read_images(paths, None, grayscale=True)
    assert str(found.value) == f"images of different sizes: {expected}"
    assert read_images(paths, (6, 9), grayscale=True).shape == (4, 6, 9)


def test_images_larger_than_the_memory_are_rejected(tmp_path, monkeypatch):
    """Before they are read."""
    paths = saved(tmp_path, GRAY) * 1000
    monkeypatch.setattr(binary_files.os, "sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 53_999}.get)
    with pytest.raises(SourceError, match=r"1,000 images of the size of .*0.png: needs 0.0 GiB"):
        read_images(paths, None, grayscale=True)
