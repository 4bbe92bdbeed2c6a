import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from video_detective.errors import MissingError, StorageError
from video_detective.storage.blobs import BlobStore

PICTURE = b"\xff\xd8 picture"
SHA256 = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_blob_is_named_by_its_content(blobs: BlobStore, tmp_path: Path) -> None:
    assert blobs.put(PICTURE, ".jpg") == SHA256

    path = tmp_path / "blobs" / SHA256[:2] / f"{SHA256[2:]}.jpg"
    assert files(tmp_path) == [path]
    assert blobs.path(SHA256, ".jpg") == path
    with blobs.open(SHA256, ".jpg") as content:
        assert content.read() == PICTURE


def test_the_same_content_again_changes_nothing(blobs: BlobStore, tmp_path: Path) -> None:
    blobs.put(PICTURE, ".jpg")
    before = [path.stat().st_ino for path in files(tmp_path)]

    assert blobs.put(PICTURE, ".jpg") == SHA256

    assert [path.stat().st_ino for path in files(tmp_path)] == before


def test_an_empty_blob_is_a_blob(blobs: BlobStore) -> None:
    with blobs.open(blobs.put(b"", ".txt"), ".txt") as content:
        assert content.read() == b""


def test_a_file_is_copied_in_and_stays(blobs: BlobStore, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(PICTURE * 300_000)  # several portions

    sha256 = blobs.put_file(clip, ".mp4")

    assert sha256 == hashlib.sha256(PICTURE * 300_000).hexdigest()
    assert blobs.put_file(clip, ".mp4") == sha256
    assert blobs.verify(sha256, ".mp4")
    assert clip.exists()
    assert len(files(tmp_path / "blobs")) == 1


def test_a_file_that_is_not_there_is_named(blobs: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        blobs.put_file(tmp_path / "none.mp4", ".mp4")
    assert files(tmp_path) == []


def test_changed_content_is_noticed(blobs: BlobStore) -> None:
    blobs.put(PICTURE, ".jpg")
    assert blobs.verify(SHA256, ".jpg")

    blobs.path(SHA256, ".jpg").write_bytes(PICTURE.upper())

    assert not blobs.verify(SHA256, ".jpg")


def test_a_blob_cut_short_is_made_whole_by_storing_it_again(blobs: BlobStore) -> None:
    blobs.put(PICTURE, ".jpg")
    blobs.path(SHA256, ".jpg").write_bytes(PICTURE[:3])

    blobs.put(PICTURE, ".jpg")

    assert blobs.verify(SHA256, ".jpg")


def test_many_threads_may_store_the_same_blob(blobs: BlobStore, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda n: blobs.put(PICTURE * (n % 3 + 1), ".jpg"), range(48)))

    assert len(names) == len(files(tmp_path)) == 3
    assert all(blobs.verify(name, ".jpg") for name in names)


@pytest.mark.parametrize(
    ("sha256", "suffix"),
    [
        ("../../etc/passwd", ".jpg"),
        ("/" + SHA256[1:], ".jpg"),
        (SHA256.upper(), ".jpg"),
        (SHA256 + "\n", ".jpg"),
        (SHA256[:-1], ".jpg"),
        ("", ".jpg"),
        (SHA256, "/../../x"),
        (SHA256, "jpg"),
        (SHA256, ".JPG"),
        (SHA256, ".jpg/.."),
        (SHA256, ".jpg\0"),
        (SHA256, ""),
        ("０" * 64, ".jpg"),
        (SHA256, ".png"),
        ("0" * 64, ".jpg"),
    ],
)
def test_a_name_that_no_blob_has_finds_nothing(blobs: BlobStore, sha256: str, suffix: str) -> None:
    blobs.put(PICTURE, ".jpg")

    with pytest.raises(MissingError):
        blobs.open(sha256, suffix)
    with pytest.raises(MissingError):
        blobs.verify(sha256, suffix)


def test_a_blob_of_a_bad_suffix_is_not_stored(blobs: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        blobs.put(PICTURE, "/../x.jpg")
    assert files(tmp_path) == []
