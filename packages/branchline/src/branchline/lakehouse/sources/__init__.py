"""Where rows come from: files of any kind, read in pieces; each source appends exactly once."""

from branchline.lakehouse.sources.files import FileSource
from branchline.lakehouse.sources.layout import Layout, shortened
from branchline.lakehouse.sources.pieces import Piece
from branchline.lakehouse.sources.source import Source, Taken
from branchline.lakehouse.sources.taken import FILES

__all__ = ["FILES", "FileSource", "Layout", "Piece", "Source", "Taken", "shortened"]
