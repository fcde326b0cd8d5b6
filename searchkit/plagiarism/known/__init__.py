"""Known sources: which answers are nearer to one of them than chance explains."""
