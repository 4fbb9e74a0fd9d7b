"""What each CI system says about a build, and how to show results there."""
