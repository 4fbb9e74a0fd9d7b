"""Clusters, by kubectl: manifests, roll-outs, checks in the cluster, canaries."""
