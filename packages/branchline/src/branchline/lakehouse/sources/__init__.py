"""Where rows come from: files of any kind, Kafka's topics; each source appends exactly once."""

from branchline.lakehouse.sources.files import FileSource
from branchline.lakehouse.sources.kafka import KAFKA, KafkaSource
from branchline.lakehouse.sources.layout import Layout, shortened
from branchline.lakehouse.sources.pieces import Piece
from branchline.lakehouse.sources.source import Source, Taken
from branchline.lakehouse.sources.taken import FILES

__all__ = ["FILES", "KAFKA", "FileSource", "KafkaSource", "Layout", "Piece", "Source", "Taken",
           "shortened"]
