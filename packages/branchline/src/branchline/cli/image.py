"""branchline image: builds the images of a project's services, and pushes them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from branchline.ci.output import set_output
from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.config.deploy_file import read_deploy_file
from branchline.config.service_file import Service
from branchline.errors import BadInput
from branchline.images.builder import Builder
from branchline.images.context import Contents, prepare
from branchline.images.digests import write_images
from branchline.platforms.find import open_platform
from branchline.wheels.source import Source, source_of

__all__ = ["command"]

FOLDER = Path(".local", "images")


@click.command("image", context_settings=options.help_names)
@click.argument("project")
@click.option("--model", metavar="ADDRESS", default="newest", show_default=True,
              help="The model in it: an MLflow address, as in models:/NAME@champion, or a folder.")
@click.option("--run", "run_id", metavar="RUN", help="The run whose model is in it, instead.")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the model is: a name in targets.yml.")
@click.option("--base", metavar="IMAGE", envvar="BRANCHLINE_BASE_IMAGE",
              help="The image to build on, as in NAME@sha256:DIGEST; by default the Dockerfile's.")
@click.option("--push", is_flag=True,
              help="Push to the registry of deploy.yml, if services are deployed from here.")
@options.debug
def command(project: str, model: str, run_id: str | None, target_name: str, base: str | None,
            push: bool, debug: bool) -> None:
    """Build the image of each service of PROJECT, with a model in it.

    With --push, the digests are written to .local/images/images.json, for publish.py --images.

    \b
    Exit codes: 0 built; 2 bad input, or neither buildah nor podman is here; 5 the registry or the
    workspace did not answer or permit it.
    """
    repository = Repository.current()
    found, target = repository.project(project), repository.target(target_name)
    file = read_deploy_file(found.folder / "deploy.yml")
    source, kept = source_of(repository.root), repository.root / FOLDER
    taker, references = file.taker_of(target_name), dict[str, str]()
    if push and not (file.services and file.where(taker).clusters):
        print(f"image      none: deploy.yml names no services, or no clusters for {taker}")
    elif not file.services:
        raise BadInput(f"project {project}: deploy.yml names no services; expected one to build.")
    else:
        address = f"runs:/{run_id}/model" if run_id else model
        tracking = open_platform(target, repository.root, os.environ).tracking.uri
        with tempfile.TemporaryDirectory(prefix="branchline-image-") as scratch:
            folder = _fetched(address, tracking, Path(scratch, "fetched"))
            for service in file.services:
                made = _built(repository.root, service, folder, source, Path(scratch), base)
                references |= {service.name: _pushed(made, service, Path(scratch))} if push else {}
    if push:
        write_images(kept / "images.json", source.version, references)
        set_output("images", str(FOLDER / "images.json"), os.environ)


def _fetched(address: str, tracking: str, folder: Path) -> Path:
    from branchline.serving.logged import fetched
    return fetched(address, tracking, folder)


def _built(root: Path, service: Service, model: Path, source: Source, scratch: Path,
           base: str | None) -> str:
    folder, tag = scratch / service.name, f"localhost/{service.name}:{_tag(source.version)}"
    folder.mkdir()
    bill = prepare(Contents(root, root / "deploy" / service.name, model), folder)
    kept = root / FOLDER / f"{service.name}.{bill.name}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(bill.read_bytes())
    Builder.found().build(folder, tag, {
        "org.opencontainers.image.revision": source.commit or "",
        "org.opencontainers.image.version": source.version}, base)
    print(f"image      {tag}\nsbom       {FOLDER / kept.name}", flush=True)
    return tag


def _pushed(tag: str, service: Service, scratch: Path) -> str:
    digest = Builder.found().push(tag, f"{service.image}:{tag.rpartition(':')[2]}", scratch)
    print(f"pushed     {service.image}@{digest}", flush=True)
    return f"{service.image}@{digest}"


def _tag(version: str) -> str:
    """A version as a tag, which has no +."""
    return version.replace("+", "-")
