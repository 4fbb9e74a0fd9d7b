"""Request bodies as the OpenAPI page shows them, each with examples that work."""

from __future__ import annotations

from typing import Any

from branchline.serving.service import Records, Service

__all__ = ["inference", "invocations", "records"]


def inference(service: Service) -> dict[str, Any]:
    tensors = [{"name": name, "datatype": "FP64", "shape": [1], "data": [value]}
               for name, value in zip(service.inputs, service.example, strict=True)]
    return _body({"application/json": {"one row": {"id": "1", "inputs": tensors}}})


def invocations(service: Service) -> dict[str, Any]:
    names, row = list(service.inputs), list(service.example)
    by_name = dict(zip(names, row, strict=True))
    return _body({
        "application/json": {
            "dataframe_split": {"dataframe_split": {"columns": names, "data": [row]}},
            "dataframe_records": {"dataframe_records": [by_name]},
            "instances": {"instances": [by_name]},
            "inputs": {"inputs": {name: [value] for name, value in by_name.items()}}},
        "text/csv": {"csv": f"{','.join(names)}\n{','.join(map(str, row))}\n"}})


def records(about: Records) -> dict[str, Any]:
    return _body({"application/json": {
        "one record": {about.name: [dict(about.example)]},
        "with its features and reasons": {about.name: [dict(about.example)], "features": True,
                                          "reasons": True}}})


def _body(examples: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {
        media: {"schema": {"type": "object" if media.endswith("json") else "string"},
                "examples": {name: {"value": value} for name, value in named.items()}}
        for media, named in examples.items()}}}
