"""What each CI system tells of a build, and how a build shows results there."""
