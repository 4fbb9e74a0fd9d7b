"""From a released wheel to production and back: releases, evidence, journal, deployment."""
