"""Resolves YAML's anchors, aliases and merge keys into a plain tree."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from branchline.config.yaml_values import DEEPEST, kind_of, refused
from branchline.errors import BadInput

__all__ = ["expanded"]

MOST_NODES = 20_000
Pairs = list[tuple[yaml.Node, yaml.Node]]


def expanded(node: yaml.Node, where: str) -> yaml.Node:
    """The tree without aliases and merge keys; own keys override merged ones.

    Duplicate keys stay: the check of the tree reports them.

    Raises:
        BadInput: an alias within its own anchor, growth beyond MOST_NODES values or DEEPEST levels,
            a merge key whose value is not a mapping.
    """
    return _Expansion(where).of(node, ())


@dataclass
class _Expansion:
    where: str
    made: int = 0

    def of(self, node: yaml.Node, above: tuple[int, ...]) -> yaml.Node:
        """The node's copy; `above` are its parent nodes."""
        self.made += 1
        if id(node) in above:
            raise self._refused(node, "an alias within its own anchor", "the value itself")
        if len(above) > DEEPEST:
            raise self._refused(node, f"nested more than {DEEPEST} deep", "less")
        if self.made > MOST_NODES:
            raise self._refused(node, f"aliases that stand for more than {MOST_NODES:,} values",
                                "fewer")
        inside = (*above, id(node))
        if isinstance(node, yaml.SequenceNode):
            return _copy(node, [self.of(value, inside) for value in node.value])
        if isinstance(node, yaml.MappingNode):
            return _copy(node, self._pairs(node, inside))
        return node

    def _pairs(self, node: yaml.MappingNode, above: tuple[int, ...]) -> Pairs:
        own = [(key, self.of(value, above)) for key, value in node.value if not _is_merge(key)]
        names = {_name(key): (key, value) for key, value in own}
        found: Pairs = []
        for key, value in self._merged(node, above):
            found.append(names.pop(_name(key), (key, value)))
        taken = {id(key) for key, _ in found}
        return found + [(key, value) for key, value in own if id(key) not in taken]

    def _merged(self, node: yaml.MappingNode, above: tuple[int, ...]) -> Pairs:
        """What the merge key stands for; of several mappings, the first that has a key wins."""
        merges = [(key, value) for key, value in node.value if _is_merge(key)]
        if len(merges) > 1:
            raise self._refused(merges[1][0], "key << occurs twice", "it once, with a list")
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for _, value in merges:
            for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(each, yaml.MappingNode):
                    raise self._refused(each, "a merge of something else", "a mapping's alias")
                copy = self.of(each, above)
                found = {_name(key): (key, one) for key, one in copy.value} | found
        return list(found.values())

    def _refused(self, node: yaml.Node, found: str, expected: str) -> BadInput:
        return refused(self.where, node.start_mark.line + 1, found, expected)


def _copy(node: yaml.CollectionNode, value: object) -> yaml.CollectionNode:
    return type(node)(node.tag, value, node.start_mark, node.end_mark)


def _is_merge(key: yaml.Node) -> bool:
    return kind_of(key) == "merge"


def _name(key: yaml.Node) -> str:
    return str(key.value) if isinstance(key, yaml.ScalarNode) else f"in {id(key)}"
