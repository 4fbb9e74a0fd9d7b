"""The online store: an entity's recent events, and features of one event in microseconds."""

from branchline.features.online.features import OnlineFeatures
from branchline.features.online.held import HeldFeatures
from branchline.features.online.loaded import Event
from branchline.features.online.open_store import open_store
from branchline.features.online.store import SqliteStore, Store

__all__ = ["Event", "HeldFeatures", "OnlineFeatures", "SqliteStore", "Store", "open_store"]
