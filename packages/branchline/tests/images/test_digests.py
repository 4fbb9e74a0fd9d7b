from __future__ import annotations

from pathlib import Path

import pytest

from branchline.errors import BadInput
from branchline.images.digests import read_images, write_images
from branchline.wheels.artifacts import Artifact

REFERENCE = f"registry.example.com/scoring@sha256:{'a' * 64}"


def test_the_digests_that_were_written_are_artifacts_of_their_version(tmp_path: Path) -> None:
    write_images(tmp_path / "new" / "images.json", "1.0+g1", {"scoring": REFERENCE})
    assert read_images(tmp_path / "new" / "images.json", "1.0+g1") == (
        Artifact("image", "scoring", "1.0+g1", REFERENCE, None, "a" * 64),)


@pytest.mark.parametrize(("content", "said"), [
    (None, "No such file"), ("[]", "is not a JSON object"), ("{}", "has no images"),
    ('{"format": "images/9"}', "found format images/9"),
    ('{"version": "1.0+g2", "images": {}}', "is of version .*g2, but the checkout is .*g1"),
    ('{"version": "1.0+g1", "images": {"scoring": "registry.example.com/scoring:latest"}}',
     "expected REPOSITORY@sha256:DIGEST")])
def test_a_file_that_cannot_be_used_is_refused(
        tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "images.json").write_text(content)
    with pytest.raises(BadInput, match=said):
        read_images(tmp_path / "images.json", "1.0+g1")
